//! Bars from left to right, panels one above the other.

use super::svg::{Anchor, Ink, Svg};
use crate::summary::digits;

pub(super) struct Bars {
    pub(super) title: String,
    pub(super) bars: Vec<Bar>,
}

pub(super) struct Bar {
    pub(super) name: String,
    pub(super) value: f64,
    pub(super) ink: Ink,
}

const WIDTH: f64 = 900.0;
const TOP: f64 = 40.0;
const ROW: f64 = 22.0;
const PANEL_TITLE: f64 = 34.0;
const NAMES: f64 = 230.0;
/// For the longest bar's number.
const NUMBERS: f64 = 60.0;

pub(super) fn draw(title: &str, panels: &[Bars]) -> String {
    let rows: usize = panels.iter().map(|panel| panel.bars.len()).sum();
    let height = TOP + panels.len() as f64 * PANEL_TITLE + rows as f64 * ROW + 10.0;
    let mut svg = Svg::new(WIDTH, height);
    svg.text(WIDTH / 2.0, 24.0, Anchor::Middle, "title", title);
    let mut y = TOP;
    for Bars { title, bars } in panels {
        y += PANEL_TITLE;
        svg.text(NAMES, y - 8.0, Anchor::Start, "", title);
        let most = bars.iter().map(|bar| bar.value).fold(f64::MIN_POSITIVE, f64::max);
        for Bar { name, value, ink } in bars {
            let length = (value / most * (WIDTH - NAMES - NUMBERS)).max(1.0);
            svg.text(NAMES - 8.0, y + 14.0, Anchor::End, "small", name);
            svg.bar((NAMES, y + 3.0), length, ROW - 6.0, *ink);
            svg.text(NAMES + length + 6.0, y + 14.0, Anchor::Start, "small", &digits(*value));
            y += ROW;
        }
    }
    svg.end(title)
}
