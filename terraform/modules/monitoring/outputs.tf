output "dashboard_url" {
  description = "Where the dashboard is seen."
  value       = "https://${data.aws_region.this.id}.console.aws.amazon.com/cloudwatch/home?region=${data.aws_region.this.id}#dashboards/dashboard/${aws_cloudwatch_dashboard.this.dashboard_name}"
}

output "alarms" {
  description = "The alarms' names, and whom each tells when it begins and ends."
  value = {
    for alarm in concat(
      values(aws_cloudwatch_metric_alarm.errors),
      values(aws_cloudwatch_metric_alarm.throttles),
      values(aws_cloudwatch_metric_alarm.failures),
      values(aws_cloudwatch_metric_alarm.log_failures),
      values(aws_cloudwatch_metric_alarm.first_token),
      values(aws_cloudwatch_metric_alarm.dead_letters),
      values(aws_cloudwatch_metric_alarm.oldest_message),
    ) : alarm.alarm_name => { begins = alarm.alarm_actions, ends = alarm.ok_actions }
  }
}
