//! A client, played to its end.

use std::{
    cell::Cell,
    time::{Duration, Instant},
};

use futures_util::{FutureExt as _, future::Either, pin_mut, select};
use local_cloud::{faults::Planned, wiring::TABLE};
use probe::{Architecture, Outcome, Received, Request, Trace};
use serde_json::json;

use crate::{
    history::{End, Event, Heard, History, Leg, lags},
    scenario::{Client, Drops, Scenario, When},
    stage::{PROMPT_CANARY, Stage, sub},
};

/// How long after the model's end the stream's may come, where it does come.
const LAST_WORDS_WITHIN: Duration = Duration::from_secs(3);

/// How often a client asks for the rest that gets nothing of it.
const MAX_RETURNS: usize = 5;

impl Stage {
    pub(crate) async fn play(&self, scenario: &Scenario, stream_id: &str, planned: &Planned) -> History {
        let fields = [("stream_id".to_owned(), json!(stream_id))].into_iter().collect();
        let request = Request::from_fields(fields).with("prompt", format!("{PROMPT_CANARY} {stream_id}"));
        let architecture = scenario.architecture;
        let (mut gone, mut stopped, mut whole) = (None, None, None);
        let heard = match scenario.client {
            Client::Stays => {
                let trace = self.ask(scenario, &request, |_| {}).await;
                let heard = Heard::of(architecture, &trace);
                whole = Some(trace);
                heard
            }
            Client::AsksAgain => {
                let first = self.ask(scenario, &request, |_| {}).await;
                let again = matches!(first.outcome(), Outcome::Error { .. });
                let trace = if again { self.ask(scenario, &request, |_| {}).await } else { first };
                Heard::of(architecture, &trace)
            }
            Client::Leaves { .. } | Client::UntilModelCloses | Client::UntilRefused => {
                let heard = self.leave(scenario, &request).await;
                let left = (heard.end == End::Left).then(Instant::now);
                gone = self.knows_of(scenario, left, planned);
                heard
            }
            Client::Returns { via, drops } => {
                let (heard, left) = Box::pin(self.come_back(scenario, &request, via, drops)).await;
                gone = self.knows_of(scenario, left, planned);
                heard
            }
            Client::Stops { via, when } => {
                let (trace, asked) = self.stop(scenario, &request, via, when).await;
                stopped = asked;
                Heard::of(architecture, &trace)
            }
        };
        let calls = self.settled(stream_id, scenario.plan.kill_after_tokens.is_none()).await;
        let lag = whole.zip(calls.first()).and_then(|(trace, call)| lags(&trace, call).into_iter().max());
        History { lag, gone, stopped, ..History::new(stream_id, &calls, Some(planned), heard) }
    }

    /// Since when a function should have given up, as far as it can know.
    fn knows_of(&self, scenario: &Scenario, left: Option<Instant>, planned: &Planned) -> Option<Instant> {
        match (scenario.client, scenario.architecture) {
            // Lambda does not tell a function that its client has gone, and AppSync tells nobody.
            (_, Architecture::Appsync) => None,
            (_, Architecture::FunctionUrl) if !self.signals() => None,
            (Client::UntilRefused, _) => planned.first_met(),
            (Client::UntilModelCloses | Client::Stops { .. }, _) => None,
            (Client::Leaves { .. } | Client::Stays | Client::AsksAgain | Client::Returns { .. }, _) => {
                Some(left? + self.abandons_after()?)
            }
        }
    }

    /// Closes the connection when the client of the scenario does.
    async fn leave(&self, scenario: &Scenario, request: &Request) -> Heard {
        let mut seen = Vec::new();
        let deltas = Cell::new(0);
        let watch = |received: &Received| {
            seen.push(Event::of(&received.event, received.bytes));
            count(&deltas, received);
        };
        let trace = {
            let streaming = self.ask(scenario, request, watch).fuse();
            let leaving = async {
                if let Client::Leaves { after } = scenario.client {
                    return self.until(|| deltas.get() >= after).await;
                }
                self.until_the_model_closes(&request.stream_id).await;
                tokio::time::sleep(LAST_WORDS_WITHIN).await;
            };
            let leaving = leaving.fuse();
            pin_mut!(streaming, leaving);
            select! {
                trace = streaming => Some(trace),
                () = leaving => None,
            }
        };
        match trace {
            Some(trace) => Heard::of(scenario.architecture, &trace),
            None => Heard::until_it_left(scenario.architecture, seen),
        }
    }

    /// Drops connections as planned, and asks for the rest until the end; says when it dropped the last one.
    async fn come_back(
        &self,
        scenario: &Scenario,
        request: &Request,
        via: Architecture,
        drops: Drops,
    ) -> (Heard, Option<Instant>) {
        let Scenario { architecture, patience, .. } = *scenario;
        if drops == Drops::default() {
            let (settings, token) = (&self.settings, self.token());
            let trace =
                probe::stream_resuming(settings, architecture, via, token, request, patience, |_| {}).await;
            return (Heard::of(architecture, &trace), None);
        }
        let mut heard = Heard::until_it_left(architecture, Vec::new());
        let (mut after, mut left, mut vain) = (None, None, 0);
        for number in 0.. {
            let drop = match number {
                0 => drops.first,
                1 => drops.second,
                _ => None,
            };
            let (over, place) = (if number == 0 { architecture } else { via }, heard.events.len());
            if number > 0 {
                heard.legs.push(Leg { via: over, after, place });
            }
            let (told, deltas, ended) = (Cell::new(after), Cell::new(0), Cell::new(false));
            let mut seen = Vec::new();
            let watch = |received: &Received| {
                seen.push(Event::of(&received.event, received.bytes));
                heard.text.push_str(received.text());
                told.set(received.seq().or(told.get()));
                ended.set(received.is_terminal());
                count(&deltas, received);
            };
            let following = match number {
                0 => Either::Left(self.ask(scenario, request, watch)),
                _ => Either::Right(self.rest(via, &request.stream_id, after, patience, watch)),
            };
            let trace = {
                let following = following.fuse();
                let dropping = async {
                    let Some(wanted) = drop else { return std::future::pending().await };
                    self.until_the_model_is_asked(&request.stream_id).await;
                    // Who has the end does not come back.
                    self.until(|| deltas.get() >= wanted && !ended.get()).await;
                };
                let dropping = dropping.fuse();
                pin_mut!(following, dropping);
                select! {
                    trace = following => Some(trace),
                    () = dropping => None,
                }
            };
            vain = if told.get() == after { vain + 1 } else { 0 };
            after = told.get();
            match trace {
                None => {
                    left = Some(Instant::now());
                    heard.events.append(&mut seen);
                    if drops.late {
                        self.until_the_model_closes(&request.stream_id).await;
                    }
                }
                Some(trace) => {
                    let over = Heard::of(over, &trace);
                    heard.events.extend(over.events);
                    let is_cut = matches!(over.end, End::Failed(_)) && vain < MAX_RETURNS;
                    (heard.end, heard.ended) = (over.end, over.ended);
                    if !is_cut {
                        break;
                    }
                }
            }
        }
        (heard, left)
    }

    /// Asks for the end; says when, if that was done and not refused.
    async fn stop(
        &self,
        scenario: &Scenario,
        request: &Request,
        via: Architecture,
        when: When,
    ) -> (Trace, Option<Instant>) {
        let (deltas, ended) = (Cell::new(0), Cell::new(false));
        let streaming = async {
            let trace = self.ask(scenario, request, |received| count(&deltas, received)).await;
            ended.set(true);
            trace
        };
        let id = request.stream_id.as_str();
        let stopping = async {
            self.until(|| {
                ended.get()
                    || match when {
                        When::Queued => self.is_claimed(id),
                        When::Asked => !self.calls_of(id).is_empty(),
                        When::Deltas(wanted) => deltas.get() >= wanted,
                    }
            })
            .await;
            let asked = Instant::now();
            probe::cancel(&self.settings, via, self.token(), id).await.is_ok().then_some(asked)
        };
        tokio::join!(streaming, stopping)
    }

    pub(crate) async fn ask(
        &self,
        scenario: &Scenario,
        request: &Request,
        watch: impl FnMut(&Received),
    ) -> Trace {
        let Scenario { architecture, patience, .. } = scenario;
        probe::stream_within(&self.settings, *architecture, self.token(), request, *patience, watch).await
    }

    async fn rest(
        &self,
        via: Architecture,
        stream_id: &str,
        after: Option<u64>,
        patience: Duration,
        watch: impl FnMut(&Received),
    ) -> Trace {
        probe::resume(&self.settings, via, self.token(), stream_id, after, patience, watch).await
    }

    /// Whether the log knows of the stream.
    fn is_claimed(&self, stream_id: &str) -> bool {
        let stream = format!("stream#{}#{stream_id}", sub(0));
        !self.cloud.dynamodb.items(TABLE.name, &stream).is_empty()
    }
}

fn count(deltas: &Cell<usize>, received: &Received) {
    if received.event["type"] == "delta" {
        deltas.set(deltas.get() + 1);
    }
}
