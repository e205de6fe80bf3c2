use std::time::Duration;

use super::*;
use crate::bedrock::{Ending, Framing, Script};

mod calls;
mod over_http;

fn delivering(deliveries: Vec<At<DeliveryFault>>) -> Planned {
    Planned::new("", Plan { deliveries, ..Plan::default() })
}

/// What reaches the client of the messages `0`, `1`, ... up to `count`, or up to a cut, which is a `!`.
fn arrivals(planned: &Planned, count: u32) -> String {
    let mut all = String::new();
    for message in 0..count {
        let Delivered { messages, cut } = planned.deliver(To::Subscribers, Bytes::from(message.to_string()));
        all += std::str::from_utf8(&messages.concat()).unwrap();
        if cut {
            return all + "!";
        }
    }
    all
}

#[test]
fn a_plan_is_found_by_its_marker_and_the_latest_wins() {
    let faults = Faults::default();
    assert!(faults.of(b"anything").is_none() && faults.is_empty());
    let (one, other) = (faults.plan("one", Plan::default()), faults.plan("other", Plan::default()));
    let found = |message: &[u8]| faults.of(message).map(|planned| planned.marker.clone());
    assert_eq!(found(b"\xffthis one").as_deref(), Some("one"));
    assert_eq!(found(b"one and other").as_deref(), Some("other"));
    assert_eq!(found(b"nobody's"), None);
    // A new plan for a marker is the latest, and begins to count again.
    assert!(one.call(Plane::Posts).is_none());
    assert_eq!((one.calls(), other.calls()), ([1, 0, 0], [0, 0, 0]));
    let again = faults.plan("one", Plan::default());
    assert_eq!((found(b"one and other").as_deref(), again.calls()), (Some("one"), [0, 0, 0]));
    faults.plan("", Plan::default());
    assert_eq!(found(b"nobody's").as_deref(), Some(""));
    faults.forget("");
    faults.forget("one");
    assert_eq!(found(b"one and other").as_deref(), Some("other"));
}

#[test]
fn calls_are_counted_each_for_itself() {
    let plan = Plan {
        posts: vec![At::times(1, 2, CallFault::Hang), At::from(4, CallFault::Refuse(410))],
        sends: vec![At::once(0, CallFault::DoneButHang)],
        ..Plan::default()
    };
    let planned = Planned::new("", plan);
    let posts: Vec<_> = (0..6).map(|_| planned.call(Plane::Posts)).collect();
    let (hang, gone) = (Some(CallFault::Hang), Some(CallFault::Refuse(410)));
    assert_eq!(posts, [None, hang, hang, None, gone, gone]);
    assert_eq!(planned.call(Plane::Publishes), None);
    assert_eq!(planned.call(Plane::Sends), Some(CallFault::DoneButHang));
    assert_eq!(planned.call(Plane::Sends), None);
    assert_eq!(planned.calls(), [6, 1, 2]);
    assert_eq!([2; 4].map(|times| planned.refuses(times)), [true, true, false, false]);
}

#[test]
fn deliveries_are_lost_repeated_swapped_and_cut() {
    use DeliveryFault::{Cut, Lose, Repeat, Swap};
    for (deliveries, expected) in [
        (vec![], "01234"),
        (vec![At::once(1, Lose)], "0234"),
        (vec![At::from(3, Lose)], "012"),
        (vec![At::times(1, 2, Repeat)], "0112234"),
        (vec![At::once(1, Swap)], "02134"),
        (vec![At::times(1, 2, Swap)], "01324"),
        (vec![At::once(1, Swap), At::once(2, Lose)], "0134"),
        (vec![At::once(1, Swap), At::once(2, Repeat)], "022134"),
        // Nothing follows it.
        (vec![At::once(4, Swap)], "0123"),
        (vec![At::once(2, Cut)], "01!"),
        (vec![At::once(1, Swap), At::once(2, Cut)], "0!"),
    ] {
        let planned = delivering(deliveries.clone());
        assert_eq!(arrivals(&planned, 5), expected, "{deliveries:?}");
        let sent: Vec<Bytes> = planned.sent().into_iter().map(|(_, message)| message).collect();
        let whole = if expected.ends_with('!') { "012" } else { "01234" };
        assert_eq!(sent.concat(), whole.as_bytes(), "sent is sent, whatever becomes of it");
    }
}

#[test]
fn what_is_sent_is_told_apart_by_whom_it_is_sent_to() {
    let planned = delivering(vec![]);
    let (one, two) = (To::Request("one".into()), To::Connection("two".into()));
    for (to, message) in [(&one, "a"), (&two, "b"), (&one, "c")] {
        planned.deliver(to.clone(), Bytes::from(message));
    }
    let messages = |texts: &[&'static str]| texts.iter().map(|text| Bytes::from(*text)).collect::<Vec<_>>();
    assert_eq!(planned.sent_to(), [(one, messages(&["a", "c"])), (two, messages(&["b"]))]);
    assert_eq!(planned.sent().len(), 3);
}

#[tokio::test]
async fn the_last_token_kills_whoever_listens_and_nobody_later() {
    let planned = Planned::new("", Plan { kill_after_tokens: Some(2), ..Plan::default() });
    let (first, second) = (planned.kill.notified(), planned.kill.notified());
    planned.token();
    let mut first = std::pin::pin!(first);
    assert!(futures_util::poll!(first.as_mut()).is_pending());
    planned.token();
    let both = futures_util::future::join(first, second);
    tokio::time::timeout(Duration::from_secs(10), both).await.expect("both hear of it");
    assert!(futures_util::poll!(std::pin::pin!(planned.kill.notified())).is_pending());
}

#[test]
fn a_plan_survives_its_json() {
    let script = |ending, framing| Script {
        tokens: Some(vec!["a".to_owned(), "日本".to_owned()]),
        first_token_after: Duration::from_millis(5),
        between_tokens: Duration::from_secs(1),
        ending,
        framing,
    };
    let kind = || "ThrottlingException".to_owned();
    let models = [
        script(Ending::default(), Framing::Whole),
        script(Ending::Exception { after: 1, kind: kind() }, Framing::Bytes),
        script(Ending::Truncated { after: 1 }, Framing::Pieces { seed: 7 }),
        script(Ending::Stall { after: 1 }, Framing::Whole),
        script(Ending::BadChecksum { after: 1 }, Framing::Whole),
        script(Ending::Reset { after: 1 }, Framing::Whole),
        script(Ending::Refused { status: 429, kind: kind(), times: 2 }, Framing::Whole),
    ];
    let queues = [QueueFault::Copies(2), QueueFault::Again, QueueFault::Late(70), QueueFault::Waited(90_000)];
    let queues = queues.into_iter().map(Some).chain([None]).cycle();
    for (model, queue) in models.into_iter().zip(queues) {
        let plan = Plan {
            model: Some(model),
            posts: vec![At::from(2, CallFault::Late(40)), At::once(0, CallFault::DoneBut(500))],
            publishes: vec![At::times(0, 2, CallFault::GraphqlErrors)],
            sends: vec![At::once(0, CallFault::Hang), At::once(1, CallFault::DoneButHang)],
            store: vec![At::times(2, 3, CallFault::Refuse(409))],
            deliveries: vec![At::once(3, DeliveryFault::Swap), At::from(5, DeliveryFault::Cut)],
            queue,
            kill_after_tokens: Some(3),
        };
        let json = serde_json::to_string(&plan).unwrap();
        assert_eq!(serde_json::from_str::<Plan>(&json).unwrap(), plan, "{json}");
    }
}

/// The documentation's own example.
#[test]
fn the_example_in_the_documentation_means_what_it_says() {
    const DOCUMENTATION: &str =
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/local-development.md"));
    let (_, example) = DOCUMENTATION.split_once("/plans -d '").expect("an example");
    let (example, _) = example.split_once('\'').expect("the end of the example");
    let plan = Plan {
        model: Some(Script {
            first_token_after: Duration::from_secs(2),
            ending: Ending::Exception { after: 40, kind: "modelStreamErrorException".to_owned() },
            framing: Framing::Bytes,
            ..Script::default()
        }),
        posts: vec![At::times(3, 2, CallFault::Refuse(429))],
        publishes: vec![At::once(3, CallFault::DoneButHang)],
        deliveries: vec![At::once(5, DeliveryFault::Repeat)],
        ..Plan::default()
    };
    assert_eq!(serde_json::from_str::<Plan>(example).unwrap(), plan);
}
