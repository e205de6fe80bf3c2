//! Faults in combinations that nobody has thought of.

use std::time::Duration;

use fastrand::Rng;
use local_cloud::{
    bedrock::{Ending, Framing, Script},
    faults::{At, CallFault, DeliveryFault, Plan, QueueFault},
};
use probe::Architecture;

use crate::scenario::{Client, Expect, Scenario, script};

/// Anything at all may go wrong, several things at once; the invariants hold.
pub fn scenario(rng: &mut Rng) -> Scenario {
    let architecture = *rng.choice(&Architecture::ALL).expect("three");
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
            plan.queue = (rng.u8(0..6) == 0).then_some(QueueFault::Again);
        }
    }
    if rng.u8(0..3) == 0 {
        plan.deliveries = deliveries(rng, architecture);
    }
    // Where nobody tells a client that there will be no more, it waits for what it is told: not for that here.
    let client = match rng.u8(0..4) {
        0 => Client::Leaves { after: rng.usize(1..6) },
        _ => Client::UntilModelCloses,
    };
    Scenario::new(architecture, plan, Expect::Any).client(client)
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
