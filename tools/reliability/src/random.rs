//! Faults in combinations that nobody has thought of.

use std::time::Duration;

use fastrand::Rng;
use local_cloud::{
    bedrock::{Ending, Framing, Script},
    faults::{At, CallFault, DeliveryFault, Plan, QueueFault},
};
use probe::Architecture;

use crate::scenario::{Client, Drops, Expect, Scenario, When, any, script};

/// What there is to be thrown at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum World {
    Logged,
    /// Logged, and no answer goes on without its client.
    Abandoning,
    Unlogged,
}

/// Several times that is more than the lease of whoever has died.
const PATIENCE: Duration = Duration::from_secs(6);

/// Anything at all may go wrong, several things at once; the invariants hold.
pub fn scenario(rng: &mut Rng, world: World) -> Scenario {
    let architecture = any(rng);
    let mut model = Script { ending: ending(rng), ..script(rng) };
    if rng.u8(0..4) == 0 {
        model.framing = if rng.bool() { Framing::Bytes } else { Framing::Pieces { seed: rng.u64(..) } };
    }
    if rng.u8(0..6) == 0 {
        model.between_tokens = Duration::from_millis(rng.u64(20..80));
    }
    let mut plan = Plan { model: Some(model), ..Plan::default() };
    match architecture {
        Architecture::FunctionUrl => {}
        Architecture::WebsocketApi => plan.posts = calls(rng, false),
        Architecture::Appsync => {
            plan.publishes = calls(rng, true);
            plan.sends = if rng.u8(0..5) == 0 {
                vec![At::times(0, rng.usize(1..4), CallFault::Refuse(500))]
            } else {
                vec![]
            };
            plan.queue = (rng.u8(0..6) == 0).then(|| queue(rng, world));
            if world != World::Unlogged && rng.u8(0..5) == 0 {
                plan.sends.push(At::times(0, rng.usize(1..3), CallFault::DoneBut(503)));
            }
        }
    }
    if rng.u8(0..3) == 0 {
        plan.deliveries = deliveries(rng, architecture);
    }
    if world != World::Unlogged && rng.u8(0..4) == 0 {
        plan.store = store(rng);
    }
    // Where nobody tells a client that there will be no more, it waits for what it is told: not for that here.
    let client = match (world, rng.u8(0..4)) {
        (World::Logged, 0 | 1) => returning(rng),
        (World::Logged, 2) => {
            // Whoever looks into a table that hangs does not see that somebody asks for the end.
            plan.store.clear();
            let when = if rng.bool() { When::Asked } else { When::Deltas(rng.usize(1..6)) };
            Client::Stops { via: any(rng), when }
        }
        (World::Unlogged | World::Abandoning, 0) => Client::Leaves { after: rng.usize(1..6) },
        _ => Client::UntilModelCloses,
    };
    if let Client::Returns { via: Architecture::FunctionUrl, .. } = client {
        // The bytes of one HTTP answer are neither lost, nor repeated, nor swapped.
        plan.deliveries.iter_mut().for_each(|at| at.fault = DeliveryFault::Cut);
    }
    Scenario::new(architecture, plan, Expect::Any).client(client).patience(PATIENCE)
}

/// Once the model has been asked, so that there is something to come back to.
fn returning(rng: &mut Rng) -> Client {
    let mut drop = || rng.bool().then(|| rng.usize(0..5));
    let (first, second) = (drop(), drop());
    Client::Returns { via: any(rng), drops: Drops { first, second, late: false } }
}

fn queue(rng: &mut Rng, world: World) -> QueueFault {
    match (world, rng.u8(0..3)) {
        (World::Logged | World::Abandoning, 0) => QueueFault::Copies(rng.usize(2..5)),
        (World::Logged | World::Abandoning, 1) => QueueFault::Late(rng.u64(0..500)),
        _ => QueueFault::Again,
    }
}

fn store(rng: &mut Rng) -> Vec<At<CallFault>> {
    let faults = (0..rng.usize(1..4)).map(|_| {
        let fault = match rng.u8(0..6) {
            0 => CallFault::Refuse(429),
            1 => CallFault::Refuse(500),
            2 => CallFault::DoneBut(500),
            3 => CallFault::Hang,
            _ => CallFault::Late(rng.u64(1..500)),
        };
        At::times(rng.usize(0..16), rng.usize(1..5), fault)
    });
    faults.collect()
}

fn ending(rng: &mut Rng) -> Ending {
    let after = rng.usize(0..8);
    match rng.u8(0..10) {
        0 => Ending::Exception { after, kind: "modelStreamErrorException".to_owned() },
        1 => Ending::Truncated { after },
        2 => Ending::BadChecksum { after },
        3 => Ending::Reset { after },
        4 => Ending::Refused { status: 429, kind: "ThrottlingException".to_owned(), times: rng.usize(1..4) },
        _ => Ending::default(),
    }
}

fn calls(rng: &mut Rng, graphql: bool) -> Vec<At<CallFault>> {
    let faults = (0..rng.usize(0..3)).map(|_| {
        let fault = match rng.u8(0..8) {
            0 => CallFault::Refuse(429),
            1 => CallFault::Refuse(500),
            2 | 3 => CallFault::DoneBut(502),
            4 => CallFault::Late(rng.u64(1..400)),
            5 if graphql => CallFault::GraphqlErrors,
            6 => CallFault::Refuse(403),
            _ => CallFault::DoneBut(503),
        };
        At::times(rng.usize(0..8), rng.usize(1..3), fault)
    });
    faults.collect()
}

fn deliveries(rng: &mut Rng, architecture: Architecture) -> Vec<At<DeliveryFault>> {
    let fault = match (rng.u8(0..4), architecture) {
        // The bytes of one HTTP answer are neither lost, nor repeated, nor swapped.
        (_, Architecture::FunctionUrl) | (0, _) => DeliveryFault::Cut,
        (1, _) => DeliveryFault::Lose,
        (2, Architecture::Appsync) => DeliveryFault::Swap,
        _ => DeliveryFault::Repeat,
    };
    vec![At::once(rng.usize(0..6), fault)]
}
