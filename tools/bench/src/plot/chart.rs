//! Lines over two axes, panels side by side.

use super::svg::{Anchor, Ink, Svg};

pub(super) struct Chart {
    pub(super) title: String,
    pub(super) panels: Vec<Panel>,
}

pub(super) struct Panel {
    pub(super) title: String,
    pub(super) x: Axis,
    pub(super) y: Axis,
    pub(super) series: Vec<Series>,
}

pub(super) struct Axis {
    pub(super) label: String,
    pub(super) scale: Scale,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scale {
    Log,
    FromZero,
}

pub(super) struct Series {
    pub(super) name: String,
    pub(super) ink: Ink,
    pub(super) points: Vec<Point>,
}

pub(super) struct Point {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) label: Option<String>,
    pub(super) ring: bool,
}

const WIDTH: f64 = 960.0;
const TOP: f64 = 70.0;
const PLOT: f64 = 240.0;
const LEFT: f64 = 58.0;
const RIGHT: f64 = 18.0;
/// Below the axis: its numbers and its name.
const BOTTOM: f64 = 46.0;
const LEGEND_ROW: f64 = 18.0;

impl Point {
    pub(super) fn at(x: f64, y: f64) -> Self {
        Self { x, y, label: None, ring: false }
    }
}

impl Chart {
    pub(super) fn draw(&self) -> String {
        let rows = self.panels.iter().map(|panel| panel.series.len()).max().unwrap_or_default();
        let height = TOP + PLOT + BOTTOM + rows as f64 * LEGEND_ROW + 8.0;
        let mut svg = Svg::new(WIDTH, height);
        svg.text(WIDTH / 2.0, 24.0, Anchor::Middle, "title", &self.title);
        let width = WIDTH / self.panels.len() as f64;
        for (panel, left) in self.panels.iter().zip((0..).map(|at| f64::from(at) * width)) {
            panel.draw(&mut svg, left + LEFT, width - LEFT - RIGHT);
        }
        svg.end(&self.title)
    }
}

impl Panel {
    fn draw(&self, svg: &mut Svg, left: f64, width: f64) {
        let points = || self.series.iter().flat_map(|series| &series.points);
        let across = Ruler::over(self.x.scale, points().map(|point| point.x));
        let up = Ruler::over(self.y.scale, points().map(|point| point.y));
        let bottom = TOP + PLOT;
        let place = |point: &Point| (left + across.place(point.x) * width, bottom - up.place(point.y) * PLOT);

        svg.text(left + width / 2.0, TOP - 24.0, Anchor::Middle, "", &self.title);
        svg.text(left - 46.0, TOP - 8.0, Anchor::Start, "small", &self.y.label);
        for tick in up.ticks() {
            let y = bottom - up.place(tick) * PLOT;
            svg.grid((left, y), (left + width, y));
            svg.text(left - 6.0, y + 4.0, Anchor::End, "small", &number(tick));
        }
        for tick in across.ticks() {
            let x = left + across.place(tick) * width;
            svg.grid((x, TOP), (x, bottom));
            svg.text(x, bottom + 16.0, Anchor::Middle, "small", &number(tick));
        }
        svg.text(left + width / 2.0, bottom + 34.0, Anchor::Middle, "small", &self.x.label);
        for (series, row) in self.series.iter().zip(0..) {
            let places: Vec<_> = series.points.iter().map(place).collect();
            svg.line(&places, series.ink);
            for (point, (x, y)) in series.points.iter().zip(places) {
                svg.dot((x, y), series.ink);
                if point.ring {
                    svg.ring((x, y), series.ink);
                }
                if let Some(label) = &point.label {
                    let (beside, anchor) = if x < left + width * 0.9 {
                        (x + 7.0, Anchor::Start)
                    } else {
                        (x - 7.0, Anchor::End)
                    };
                    svg.text(beside, y - 7.0, anchor, "small", label);
                }
            }
            let y = bottom + BOTTOM + f64::from(row) * LEGEND_ROW;
            svg.line(&[(left, y), (left + 26.0, y)], series.ink);
            svg.text(left + 32.0, y + 4.0, Anchor::Start, "small", &series.name);
        }
    }
}

/// From values to places between 0 and 1.
struct Ruler {
    scale: Scale,
    from: f64,
    to: f64,
}

impl Ruler {
    fn over(scale: Scale, values: impl Iterator<Item = f64> + Clone) -> Self {
        let most = values.clone().fold(f64::MIN_POSITIVE, f64::max);
        match scale {
            Scale::FromZero => Self { scale, from: 0.0, to: most * 1.08 },
            Scale::Log => {
                // What is not positive has no place on it.
                let least = values.filter(|value| *value > 0.0).fold(f64::INFINITY, f64::min).min(most);
                // Some room, and never a single point.
                Self { scale, from: least / 1.3, to: most * 1.3 }
            }
        }
    }

    fn place(&self, value: f64) -> f64 {
        match self.scale {
            Scale::FromZero => value / self.to,
            Scale::Log => (value.max(self.from) / self.from).ln() / (self.to / self.from).ln(),
        }
    }

    fn ticks(&self) -> Vec<f64> {
        match self.scale {
            Scale::FromZero => {
                let step = steps().find(|step| self.to / step <= 6.0).unwrap_or(self.to);
                (0..=6).map(|at| f64::from(at) * step).filter(|tick| *tick <= self.to).collect()
            }
            Scale::Log => {
                let within: Vec<f64> = steps().filter(|step| (self.from..=self.to).contains(step)).collect();
                let decades = || within.iter().copied().filter(|step| is_decade(*step));
                // 1, 2, 5, 10, unless that would be too many.
                if within.len() <= 7 { within } else { decades().collect() }
            }
        }
    }
}

/// 1, 2 and 5, from the thousandth to the million.
fn steps() -> impl Iterator<Item = f64> {
    (-3..7).flat_map(|decade| [1.0, 2.0, 5.0].map(|digit| digit * 10_f64.powi(decade)))
}

fn is_decade(step: f64) -> bool {
    (step.log10() - step.log10().round()).abs() < 1e-9
}

fn number(value: f64) -> String {
    if value >= 1000.0 {
        let thousands = (value / 1000.0).round();
        return format!("{thousands},000");
    }
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_few() {
        let ticks = |scale, values: &[f64]| Ruler::over(scale, values.iter().copied()).ticks();
        assert_eq!(ticks(Scale::FromZero, &[30.0, 90.0]), [0.0, 20.0, 40.0, 60.0, 80.0]);
        assert_eq!(ticks(Scale::Log, &[0.6, 300.0]), [1.0, 10.0, 100.0]);
        assert_eq!(ticks(Scale::Log, &[4.0, 40.0]), [5.0, 10.0, 20.0, 50.0]);
        assert!(ticks(Scale::Log, &[]).is_empty());
    }

    #[test]
    fn places_lie_within_the_panel() {
        for scale in [Scale::Log, Scale::FromZero] {
            let ruler = Ruler::over(scale, [0.01, 5.0, 700.0].into_iter());
            for value in [0.01, 5.0, 700.0] {
                assert!((0.0..=1.0).contains(&ruler.place(value)), "{scale:?} {value}");
            }
        }
    }

    #[test]
    fn numbers_are_short() {
        for (value, text) in [(0.05, "0.05"), (20.0, "20"), (10_000.0, "10,000"), (0.0, "0")] {
            assert_eq!(number(value), text);
        }
    }
}
