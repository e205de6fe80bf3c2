output "dashboard_url" {
  description = "Where the dashboard is seen."
  value       = "https://${data.aws_region.this.id}.console.aws.amazon.com/cloudwatch/home?region=${data.aws_region.this.id}#dashboards/dashboard/${aws_cloudwatch_dashboard.this.dashboard_name}"
}
