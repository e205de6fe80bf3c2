//! Numbers as DynamoDB keeps them: decimal, exact, with up to 38 significant digits.

use std::{cmp::Ordering, fmt};

use super::error::DynamoDbError;

const MAX_DIGITS: u32 = 38;
/// Of the first digit's place.
const MAX_MAGNITUDE: i64 = 125;
const MIN_MAGNITUDE: i64 = -130;

/// `digits * 10^exponent`. `digits` has no zero at its end, so equal numbers are equal in every field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Number {
    digits: i128,
    exponent: i64,
}

impl Number {
    pub(super) fn parse(text: &str) -> Result<Self, DynamoDbError> {
        let unreadable = || {
            let detail = if text.is_empty() { String::new() } else { format!(": {text}") };
            invalid(&format!("The parameter cannot be converted to a numeric value{detail}"))
        };
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().map_err(|_| unreadable())?),
            None => (text, 0),
        };
        let (negative, mantissa) = match mantissa.strip_prefix(['-', '+']) {
            Some(rest) => (mantissa.starts_with('-'), rest),
            None => (false, mantissa),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all = [whole, fraction].concat();
        if all.is_empty() || !all.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(unreadable());
        }
        let exponent = i64::from(exponent) - i64::try_from(fraction.len()).map_err(|_| unreadable())?;
        let significant = all.trim_start_matches('0');
        let digits = significant.trim_end_matches('0');
        if digits.len() > MAX_DIGITS as usize {
            return Err(too_precise());
        }
        let zeros = i64::try_from(significant.len() - digits.len()).map_err(|_| unreadable())?;
        let value: i128 = if digits.is_empty() { 0 } else { digits.parse().map_err(|_| unreadable())? };
        Self { digits: if negative { -value } else { value }, exponent: exponent + zeros }.checked()
    }

    pub(super) fn plus(self, other: Self) -> Result<Self, DynamoDbError> {
        if self.digits == 0 || other.digits == 0 {
            return Ok(if self.digits == 0 { other } else { self });
        }
        let exponent = self.exponent.min(other.exponent);
        let aligned = |number: Self| {
            let shift = u32::try_from(number.exponent - exponent).ok()?;
            10_i128.checked_pow(shift)?.checked_mul(number.digits)
        };
        let sum = aligned(self).zip(aligned(other)).and_then(|(one, other)| one.checked_add(other));
        Self { digits: sum.ok_or_else(too_precise)?, exponent }.checked()
    }

    pub(super) fn minus(self, other: Self) -> Result<Self, DynamoDbError> {
        self.plus(Self { digits: -other.digits, ..other })
    }

    /// "DynamoDB item sizes and formats".
    pub(super) fn size(self) -> usize {
        self.significant_digits().div_ceil(2) as usize + 1
    }

    fn checked(mut self) -> Result<Self, DynamoDbError> {
        if self.digits == 0 {
            return Ok(Self { digits: 0, exponent: 0 });
        }
        while self.digits % 10 == 0 {
            self.digits /= 10;
            self.exponent += 1;
        }
        if self.significant_digits() > MAX_DIGITS {
            return Err(too_precise());
        }
        match self.magnitude() {
            MIN_MAGNITUDE..=MAX_MAGNITUDE => Ok(self),
            ..MIN_MAGNITUDE => Err(invalid(
                "Number underflow. Attempting to store a number with magnitude smaller than supported range",
            )),
            _ => Err(invalid(
                "Number overflow. Attempting to store a number with magnitude larger than supported range",
            )),
        }
    }

    fn significant_digits(self) -> u32 {
        self.digits.unsigned_abs().checked_ilog10().map_or(0, |log| log + 1)
    }

    /// The place of the first digit: 0 for 5, 1 for 50, -1 for 0.5.
    fn magnitude(self) -> i64 {
        self.exponent + i64::from(self.significant_digits()) - 1
    }
}

impl From<usize> for Number {
    fn from(value: usize) -> Self {
        let number = Self { digits: i128::try_from(value).unwrap_or(i128::MAX), exponent: 0 };
        number.checked().unwrap_or(number)
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        let by_sign = self.digits.signum().cmp(&other.digits.signum());
        by_sign.then_with(|| {
            let by_size = self.magnitude().cmp(&other.magnitude()).then_with(|| {
                // Both are as large as their 38 digits now: the first has the same place.
                let padded = |number: &Self| {
                    number.digits.unsigned_abs() * 10_u128.pow(MAX_DIGITS - number.significant_digits())
                };
                padded(self).cmp(&padded(other))
            });
            if self.digits < 0 { by_size.reverse() } else { by_size }
        })
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Without an exponent and without zeros that mean nothing, as DynamoDB answers.
impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.digits < 0 { "-" } else { "" };
        let digits = self.digits.unsigned_abs().to_string();
        if let Ok(zeros) = usize::try_from(self.exponent) {
            return write!(f, "{sign}{digits}{}", "0".repeat(zeros));
        }
        let places = usize::try_from(-self.exponent).unwrap_or_default();
        let padded = format!("{digits:0>width$}", width = places + 1);
        let (whole, fraction) = padded.split_at(padded.len() - places);
        write!(f, "{sign}{whole}.{fraction}")
    }
}

fn too_precise() -> DynamoDbError {
    invalid("Attempting to store more than 38 significant digits in a Number")
}

fn invalid(message: &str) -> DynamoDbError {
    DynamoDbError::Validation(message.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Number {
        Number::parse(text).unwrap_or_else(|error| panic!("{text}: {error:?}"))
    }

    #[test]
    fn a_number_is_answered_in_its_plain_form() {
        let long = "1".repeat(38);
        for (text, plain) in [
            ("0", "0"),
            ("-0.00", "0"),
            ("00042", "42"),
            ("+7", "7"),
            ("3.1400", "3.14"),
            ("-.5", "-0.5"),
            ("5.", "5"),
            ("1.5E2", "150"),
            ("1e-3", "0.001"),
            ("-120e-1", "-12"),
            (long.as_str(), long.as_str()),
        ] {
            assert_eq!(number(text).to_string(), plain, "{text}");
        }
        assert_eq!(number("1e125").to_string().len(), 126);
        assert_eq!(number("1E-130").to_string().len(), 132);
        assert_eq!(number("0e999999").to_string(), "0");
    }

    #[test]
    fn what_is_no_number_or_too_much_of_one_is_refused() {
        for (text, why) in [
            ("", "cannot be converted to a numeric value"),
            ("abc", "cannot be converted to a numeric value: abc"),
            ("1_000", "cannot be converted"),
            ("1e", "cannot be converted"),
            ("1e99999999999", "cannot be converted"),
            (".", "cannot be converted"),
            ("--1", "cannot be converted"),
            ("0x10", "cannot be converted"),
            ("NaN", "cannot be converted"),
            ("123456789012345678901234567890123456789", "38 significant digits"),
            ("1e126", "Number overflow"),
            ("-1e126", "Number overflow"),
            ("1e-131", "Number underflow"),
        ] {
            let error = format!("{:?}", Number::parse(text).expect_err(text));
            assert!(error.contains(why), "{text}: {error}");
        }
    }

    #[test]
    fn sums_are_exact() {
        for (one, other, sum) in [
            ("1", "2", "3"),
            ("0.1", "0.2", "0.3"),
            ("99999999999999999999999999999999999999", "1", "100000000000000000000000000000000000000"),
            ("1e38", "-1", "99999999999999999999999999999999999999"),
            ("5", "-5", "0"),
            ("0", "1e-130", &number("1e-130").to_string()),
            ("1e120", "1e120", &number("2e120").to_string()),
        ] {
            assert_eq!(number(one).plus(number(other)).unwrap().to_string(), sum, "{one} + {other}");
            let back = number(sum).minus(number(other)).unwrap();
            assert_eq!(back, number(one), "{sum} - {other}");
        }
        assert!(number("1e100").plus(number("1")).is_err(), "101 digits");
        assert!(number("9e125").plus(number("9e125")).is_err(), "too large");
    }

    #[test]
    fn numbers_are_ordered_by_their_value() {
        let ascending =
            ["-1e125", "-10", "-9.99", "-9", "-1e-130", "0", "1e-130", "0.5", "1", "9", "9.5", "10", "1e38"];
        for (i, one) in ascending.iter().enumerate() {
            for (j, other) in ascending.iter().enumerate() {
                assert_eq!(number(one).cmp(&number(other)), i.cmp(&j), "{one} {other}");
            }
        }
        assert_eq!(number("1.0"), number("100e-2"));
    }
}
