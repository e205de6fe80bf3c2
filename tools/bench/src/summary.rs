//! Many values as three.

use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};

/// The median of `n` values, and the quartiles around it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    pub median: f64,
    pub q1: f64,
    pub q3: f64,
    pub n: usize,
}

impl Summary {
    pub fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let sorted = sorted(values);
        Self {
            median: quantile(&sorted, 0.5),
            q1: quantile(&sorted, 0.25),
            q3: quantile(&sorted, 0.75),
            n: sorted.len(),
        }
    }

    /// In milliseconds.
    pub fn of_times(times: impl IntoIterator<Item = Duration>) -> Self {
        Self::of(times.into_iter().map(ms))
    }
}

/// `12.3 (11.9–12.8)`, with as many digits as say something.
impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.n < 2 {
            return write!(f, "{}", digits(self.median));
        }
        write!(f, "{} ({}–{})", digits(self.median), digits(self.q1), digits(self.q3))
    }
}

/// Three significant digits, but never less than the whole number.
pub fn digits(value: f64) -> String {
    match value.abs() {
        size if size >= 99.95 => format!("{value:.0}"),
        size if size >= 9.995 => format!("{value:.1}"),
        size if size >= 0.995 => format!("{value:.2}"),
        size if size >= 0.0995 || size == 0.0 => {
            format!("{value:.3}").trim_end_matches('0').trim_end_matches('.').to_owned()
        }
        _ => format!("{value:.4}"),
    }
}

pub fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

pub fn sorted(values: impl IntoIterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    values
}

/// Between neighbours by their distance; 0 of nothing.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place in a list")]
pub fn quantile(sorted: &[f64], at: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return 0.0 };
    let place = at.clamp(0.0, 1.0) * last as f64;
    let (below, above) = (place.floor() as usize, place.ceil() as usize);
    sorted[below] + (sorted[above] - sorted[below]) * place.fract()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quartiles_lie_between_neighbours() {
        let summary = Summary::of([4.0, 1.0, 3.0, 2.0]);
        assert_eq!(summary, Summary { median: 2.5, q1: 1.75, q3: 3.25, n: 4 });
        assert_eq!(summary.to_string(), "2.50 (1.75–3.25)");
        assert_eq!(Summary::of([7.0]).to_string(), "7.00");
        assert_eq!(Summary::of([]), Summary::default());
        assert_eq!(digits(quantile(&[1.0, 2.0, 3.0], 1.0)), "3.00");
    }

    #[test]
    fn numbers_have_three_digits() {
        for (value, expect) in [
            (1234.5, "1234"),
            (99.96, "100"),
            (12.345, "12.3"),
            (1.0, "1.00"),
            (0.25, "0.25"),
            (0.0, "0"),
            (0.0123, "0.0123"),
        ] {
            assert_eq!(digits(value), expect);
        }
    }
}
