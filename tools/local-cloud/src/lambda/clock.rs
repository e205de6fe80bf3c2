//! Times as AWS writes them into events.

use std::time::{SystemTime, UNIX_EPOCH};

use aws_smithy_types::{DateTime, date_time::Format};

/// Milliseconds since 1970.
pub(crate) fn epoch_ms(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// Such as `2026-11-22T17:04:05Z`.
pub(crate) fn iso(time: SystemTime) -> String {
    let seconds = i64::try_from(epoch_ms(time) / 1000).unwrap_or(i64::MAX);
    // Only years beyond 9999 have no such form.
    DateTime::from_secs(seconds).fmt(Format::DateTime).unwrap_or_default()
}

/// Such as `22/Nov/2026:17:04:05 +0000`: `requestContext.time` of a Function URL, `requestTime` of API Gateway.
pub(crate) fn request_time(time: SystemTime) -> String {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let iso = iso(time);
    let part = |range: std::ops::Range<usize>| iso.get(range).unwrap_or_default();
    let month = part(5..7).parse::<usize>().ok().and_then(|month| MONTHS.get(month.wrapping_sub(1)));
    format!("{}/{}/{}:{} +0000", part(8..10), month.unwrap_or(&""), part(0..4), part(11..19))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_time_is_written_as_in_the_documentation() {
        let time = UNIX_EPOCH + Duration::from_millis(1_583_348_638_390);
        assert_eq!(epoch_ms(time), 1_583_348_638_390);
        assert_eq!(iso(time), "2020-03-04T19:03:58Z");
        assert_eq!(request_time(time), "04/Mar/2020:19:03:58 +0000");
    }
}
