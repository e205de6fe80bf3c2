//! The tables of `benchmarks/README.md`, between their markers.

use std::{fmt::Write as _, path::Path};

use reliability::page::replace;

use crate::results::Results;

mod goals;
mod tables;

/// The text around the tables is written by hand.
pub fn write(results: &Results, page: &Path) -> anyhow::Result<()> {
    for (name, text) in [
        ("goals", goals::table(results)),
        ("init", tables::init(results)),
        ("answers", tables::answers(results)),
        ("cost", tables::cost(results)),
        ("lengths", tables::lengths(results)),
        ("crowds", tables::crowds(results)),
        ("curve", tables::curve(results)),
        ("tokens", tables::tokens(results)),
        ("zips", tables::zips(results)),
        ("machine", tables::machine(results)),
    ] {
        replace(page, name, &text)?;
    }
    Ok(())
}

/// A table in Markdown.
struct Table(String);

impl Table {
    fn new<const N: usize>(header: [&str; N]) -> Self {
        let mut table = Self(String::new());
        table.row(&header.map(str::to_owned));
        table.row(&[(); N].map(|()| "---".to_owned()));
        table
    }

    fn row<const N: usize>(&mut self, cells: &[String; N]) {
        let _ = writeln!(self.0, "| {} |", cells.join(" | "));
    }

    fn end(self) -> String {
        self.0
    }
}

/// `12.3 x`
fn times(factor: f64) -> String {
    format!("{} ×", crate::summary::digits(factor))
}
