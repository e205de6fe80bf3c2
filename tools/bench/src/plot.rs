//! The plots of `benchmarks/`, as SVG that is readable on light and on dark pages.

use std::{fs, path::Path};

use anyhow::Context as _;
use probe::Architecture;

use crate::{
    contestant::{Side, label},
    parts::{SLOW_SEND_MS, default_window_ms},
    plot::{
        bars::{Bar, Bars},
        chart::{Axis, Chart, Panel, Point, Scale, Series},
        svg::Ink,
    },
    results::{Answers, Crowd, Init, Length, Results, Window},
    stage::MOST_STREAMS,
};

mod bars;
mod chart;
mod svg;

/// What is measured is drawn; a plot of nothing is left out.
pub fn write(results: &Results, folder: &Path) -> anyhow::Result<()> {
    for (name, plot) in [
        ("versus.svg", versus(results)),
        ("curve.svg", curve(&results.curve)),
        ("lengths.svg", lengths(&results.lengths)),
        ("crowds.svg", crowds(&results.crowds)),
    ] {
        if let Some(svg) = plot {
            fs::write(folder.join(name), svg).context(name)?;
        }
    }
    Ok(())
}

fn versus(results: &Results) -> Option<String> {
    let of_init = |value: fn(&Init) -> f64| {
        let streaming = ["function-url", "websocket-api-stream", "appsync-worker"];
        let names = streaming.into_iter().zip(Architecture::ALL);
        let rows = names.flat_map(|(function, architecture)| {
            [Side::Ours, Side::Peer]
                .map(|side| Some((architecture.name(), side, value(results.init(function, side)?))))
        });
        rows.collect::<Option<Vec<_>>>()
    };
    let of_answers = |value: fn(&Answers) -> f64| {
        let rows = Architecture::ALL.into_iter().flat_map(|architecture| {
            let name = architecture.name();
            [Side::Ours, Side::Peer].map(|side| Some((name, side, value(results.answers(name, side)?))))
        });
        rows.collect::<Option<Vec<_>>>()
    };
    let panels = [
        ("Init (ms)", of_init(|row| row.ms.median)?),
        ("Memory after an answer (MB)", of_answers(|row| row.resident_mb.median)?),
        ("CPU per 1,000 tokens at 50 tokens/s (ms)", of_answers(|row| row.cpu_ms_per_1000_tokens.median)?),
    ];
    let panels = panels.map(|(title, rows)| {
        let bars = rows.into_iter().map(|(architecture, side, value)| Bar {
            name: format!("{architecture}, {}", label(architecture, side)),
            value,
            ink: ink(side),
        });
        Bars { title: title.to_owned(), bars: bars.collect() }
    });
    Some(bars::draw("Ours and the peers (medians, shorter is better)", &panels))
}

/// Cost against lag: the lower left corner is where one would like to be.
fn curve(windows: &[Window]) -> Option<String> {
    let panel = |architecture: Architecture, title: &str, price: fn(&Window) -> f64| {
        let series =
            [(0, "a send over loopback", Ink::First), (SLOW_SEND_MS, "a send of 20 ms", Ink::Second)];
        let series = series.map(|(send_ms, name, ink)| {
            let of_series = windows
                .iter()
                .filter(|row| row.architecture == architecture.name() && row.send_ms == send_ms);
            let points = of_series.map(|row| Point {
                x: row.lag_p95_ms,
                y: price(row),
                // The two lines are alike: numbers on one of them are enough.
                label: (send_ms == 0).then(|| row.flush_ms.to_string()),
                ring: row.flush_ms == default_window_ms(architecture),
            });
            Series { name: name.to_owned(), ink, points: points.collect() }
        });
        let series: Vec<_> = series.into_iter().filter(|series| !series.points.is_empty()).collect();
        (!series.is_empty()).then(|| Panel {
            title: title.to_owned(),
            x: Axis { label: "lag of a token, p95 (ms)".to_owned(), scale: Scale::Log },
            y: Axis { label: "USD per 1,000 answers".to_owned(), scale: Scale::FromZero },
            series,
        })
    };
    Some(
        Chart {
            title: "What FLUSH_INTERVAL_MS costs and delays (its milliseconds at the dots, the default in the ring)".to_owned(),
            panels: vec![
                panel(Architecture::WebsocketApi, "websocket-api", |row| row.dollars_per_1000)?,
                panel(Architecture::Appsync, "appsync", |row| row.dollars_per_1000)?,
                panel(Architecture::FunctionUrl, "function-url with the log", |row| {
                    row.dollars_per_1000 + row.log_dollars_per_1000
                })?,
            ],
        }
        .draw(),
    )
}

fn lengths(rows: &[Length]) -> Option<String> {
    let panel = |title: &str, unit: &str, value: fn(&Length) -> f64| {
        let mut series = Vec::new();
        for (architecture, dash) in Architecture::ALL.into_iter().zip(0..) {
            for side in [Side::Ours, Side::Peer] {
                let of_series =
                    rows.iter().filter(|row| row.architecture == architecture.name() && row.side == side);
                let points = of_series.map(|row| Point::at(row.tokens as f64, value(row)));
                series.push(Series {
                    name: format!("{architecture}, {}", label(architecture.name(), side)),
                    ink: ink(side).dashed(dash),
                    points: points.collect(),
                });
            }
        }
        Panel {
            title: title.to_owned(),
            x: Axis { label: "tokens of the answer".to_owned(), scale: Scale::Log },
            y: Axis { label: unit.to_owned(), scale: Scale::Log },
            series,
        }
    };
    (!rows.is_empty()).then(|| {
        Chart {
            title: "Longer answers".to_owned(),
            panels: vec![
                panel("processor time", "ms", |row| row.cpu_ms.median),
                panel("peak memory", "MB", |row| row.peak_mb.median),
                panel("messages", "number", |row| row.messages.median),
            ],
        }
        .draw()
    })
}

fn crowds(rows: &[Crowd]) -> Option<String> {
    let panel = |architecture: Architecture| {
        let name = architecture.name();
        let series = [Side::Ours, Side::Peer].into_iter().flat_map(|side| {
            [("p50", 0), ("p99", 1)].map(|(percentile, dash)| {
                let value = |row: &Crowd| if dash == 0 { row.lag_p50_ms } else { row.lag_p99_ms };
                let of_series = rows.iter().filter(|row| row.architecture == name && row.side == side);
                let points = of_series
                    .filter(|row| row.skipped.is_none())
                    .map(|row| Point::at(row.streams as f64, value(row)));
                Series {
                    name: format!("{}, {percentile}", label(name, side)),
                    ink: ink(side).dashed(dash),
                    points: points.collect(),
                }
            })
        });
        Panel {
            title: name.to_owned(),
            x: Axis { label: format!("streams at once, up to {MOST_STREAMS}"), scale: Scale::Log },
            y: Axis { label: "lag of a token (ms)".to_owned(), scale: Scale::Log },
            series: series.collect(),
        }
    };
    (!rows.is_empty()).then(|| {
        Chart { title: "Many streams on one machine".to_owned(), panels: Architecture::ALL.map(panel).into() }
            .draw()
    })
}

fn ink(side: Side) -> Ink {
    match side {
        Side::Ours | Side::Logged => Ink::First,
        Side::Peer => Ink::Second,
    }
}
