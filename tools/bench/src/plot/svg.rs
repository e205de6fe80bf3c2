//! Lines, dots and words.

use std::fmt::Write as _;

/// A picture that grows.
pub(super) struct Svg {
    width: f64,
    height: f64,
    body: String,
}

/// A colour of a series, and how its line is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ink {
    First,
    Second,
    FirstDashed(u8),
    SecondDashed(u8),
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// A page may be light or dark, and an image in it is told which.
const STYLE: &str = "\
text{font:12px system-ui,sans-serif;fill:#1f2328}.small{font-size:11px}.title{font-size:14px;font-weight:600}\
.paper{fill:#fff}.grid{stroke:#d1d9e0;stroke-width:1}.first{stroke:#0969da}.second{stroke:#bc4c00}\
.dot.first,.bar.first{fill:#0969da}.dot.second,.bar.second{fill:#bc4c00}.line,.ring{fill:none;stroke-width:2}\
.ring.first,.ring.second{fill:none}.bar{stroke:none}\
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.paper{fill:#0d1117}.grid{stroke:#3d444d}\
.first{stroke:#58a6ff}.second{stroke:#f0883e}.dot.first,.bar.first{fill:#58a6ff}.dot.second,.bar.second{fill:#f0883e}}";

impl Ink {
    /// The first of several lines of a colour is whole.
    pub(super) fn dashed(self, dash: u8) -> Self {
        match (self, dash) {
            (_, 0) => self,
            (Self::First | Self::FirstDashed(_), _) => Self::FirstDashed(dash),
            (Self::Second | Self::SecondDashed(_), _) => Self::SecondDashed(dash),
        }
    }

    fn class(self) -> &'static str {
        match self {
            Self::First | Self::FirstDashed(_) => "first",
            Self::Second | Self::SecondDashed(_) => "second",
        }
    }

    fn dash(self) -> String {
        match self {
            Self::First | Self::Second => String::new(),
            Self::FirstDashed(1) | Self::SecondDashed(1) => " stroke-dasharray=\"7 4\"".to_owned(),
            Self::FirstDashed(_) | Self::SecondDashed(_) => " stroke-dasharray=\"2 4\"".to_owned(),
        }
    }
}

impl Svg {
    pub(super) fn new(width: f64, height: f64) -> Self {
        Self { width, height, body: String::new() }
    }

    pub(super) fn text(&mut self, x: f64, y: f64, anchor: Anchor, class: &str, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let text = text.replace('&', "&amp;").replace('<', "&lt;");
        let _ = writeln!(
            self.body,
            "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" class=\"{class}\">{text}</text>"
        );
    }

    pub(super) fn grid(&mut self, from: (f64, f64), to: (f64, f64)) {
        let ((x1, y1), (x2, y2)) = (from, to);
        let _ = writeln!(
            self.body,
            "<line class=\"grid\" x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\"/>"
        );
    }

    pub(super) fn line(&mut self, points: &[(f64, f64)], ink: Ink) {
        let points: Vec<_> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        let (class, dash, points) = (ink.class(), ink.dash(), points.join(" "));
        let _ = writeln!(self.body, "<polyline class=\"line {class}\"{dash} points=\"{points}\"/>");
    }

    pub(super) fn dot(&mut self, (x, y): (f64, f64), ink: Ink) {
        let class = ink.class();
        let _ = writeln!(self.body, "<circle class=\"dot {class}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\"/>");
    }

    pub(super) fn ring(&mut self, (x, y): (f64, f64), ink: Ink) {
        let class = ink.class();
        let _ = writeln!(self.body, "<circle class=\"ring {class}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"8\"/>");
    }

    pub(super) fn bar(&mut self, (x, y): (f64, f64), width: f64, height: f64, ink: Ink) {
        let class = ink.class();
        let _ = writeln!(
            self.body,
            "<rect class=\"bar {class}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\"/>"
        );
    }

    pub(super) fn end(self, title: &str) -> String {
        let Self { width, height, body } = self;
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"{title}\">\n\
             <style>{STYLE}</style>\n<rect class=\"paper\" width=\"{width}\" height=\"{height}\"/>\n{body}</svg>\n"
        )
    }
}
