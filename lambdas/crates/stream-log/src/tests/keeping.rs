use std::sync::atomic::Ordering;

use chat::{CancelRequest, Ending, ErrorCode};

use super::*;
use crate::{Phase, Store as _, pace};

#[tokio::test(start_paused = true)]
async fn what_was_sent_is_kept_event_by_event_in_few_writes() {
    let log = log();
    let request = request("ann", "Why?");
    let (outcome, client) = play(&log, &request, Script::of(100, ms(20)), Client::default()).await;
    assert!(matches!(outcome.ending, Ending::Done(StopReason::EndTurn)));
    assert_eq!(resume(&log, &request, None).await, client.events);
    let kept = memory(&log).kept(&key_of(&request)).unwrap();
    assert!((8..=9).contains(&kept.chunks.len()), "{} writes for two seconds", kept.chunks.len());
    assert_eq!((kept.head.phase, kept.head.code), (Phase::Finished, None));
    let notes = kept.finish.unwrap().notes;
    assert_eq!((notes.stop_reason, notes.output_tokens), (Some("end_turn"), Some(100)));
}

#[tokio::test(start_paused = true)]
async fn a_slow_store_holds_no_event_up() {
    let slow = log();
    *memory(&slow).slow_appends.lock().unwrap() = Duration::from_secs(2);
    let times = |client: &Client| client.times.iter().map(|at| *at - client.times[0]).collect::<Vec<_>>();
    let request = request("ann", "Why?");
    let (_, with) = play(&slow, &request, Script::of(50, ms(20)), Client::default()).await;
    let (_, without) = play(&Log::off(), &request, Script::of(50, ms(20)), Client::default()).await;
    assert_eq!(times(&with), times(&without));
    assert_eq!(resume(&slow, &request, None).await, with.events);
}

#[tokio::test(start_paused = true)]
async fn what_waits_for_a_slow_store_has_a_bound_and_the_answer_has_none() {
    for (delta, is_kept) in [(15 * 1024, true), (30 * 1024, false)] {
        let slow = log();
        *memory(&slow).slow_appends.lock().unwrap() = Duration::from_secs(2);
        let request = request("ann", "Why?");
        // Fifty of them while one is written.
        let script = Script::repeating(&"x".repeat(delta), 60, ms(40));
        let (outcome, client) = play(&slow, &request, script, Client::default()).await;
        assert!(matches!(outcome.ending, Ending::Done(StopReason::EndTurn)));
        let kept = resume(&slow, &request, None).await;
        assert_eq!(kept == client.events, is_kept, "deltas of {delta} bytes");
        let StreamEvent::Error { seq: None, error, .. } = kept.last().unwrap() else {
            assert!(is_kept, "deltas of {delta} bytes");
            continue;
        };
        assert_eq!(error.code, ErrorCode::Interrupted);
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_fails_for_a_while_loses_nothing() {
    let log = log();
    memory(&log).failing_appends.store(3, Ordering::SeqCst);
    let request = request("ann", "Why?");
    let (_, client) = play(&log, &request, Script::of(500, ms(20)), Client::default()).await;
    assert_eq!(resume(&log, &request, None).await, client.events);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_fails_for_good_ends_the_resuming_and_not_the_answer() {
    let log = log();
    let request = request("ann", "Why?");
    memory(&log).failing_appends.store(usize::MAX, Ordering::SeqCst);
    let (outcome, client) = play(&log, &request, Script::of(100, ms(20)), Client::default()).await;
    assert!(matches!(outcome.ending, Ending::Done(StopReason::EndTurn)));
    assert!(client.events.last().unwrap().is_terminal());
    let events = resume(&log, &request, None).await;
    assert!(
        matches!(&events[..], [StreamEvent::Error { seq: None, error, .. }] if error.code == ErrorCode::Interrupted)
    );
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_answer_ends_within_half_a_second_with_what_it_had() {
    let log = log();
    for asked_after in [10, 333, 1_000, 4_990, 5_260] {
        let request = request("ann", "Why?");
        let asked = async {
            sleep(ms(asked_after)).await;
            let wanted = CancelRequest { stream_id: request.stream_id.clone() };
            assert!(log.cancel(&request.caller, &wanted).await.unwrap());
            Instant::now()
        };
        let play = play(&log, &request, Script::of(1_000, ms(90)), Client::default());
        let ((outcome, client), asked) = tokio::join!(play, asked);
        assert!(matches!(outcome.ending, Ending::Done(StopReason::Cancelled)));
        let took = *client.times.last().unwrap() - asked;
        assert!(took <= ms(500), "{took:?}");
        assert_eq!(resume(&log, &request, None).await, client.events);
        let notes = memory(&log).kept(&key_of(&request)).unwrap().finish.unwrap().notes;
        assert_eq!((notes.stop_reason, notes.output_tokens), (Some("cancelled"), None));
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_goes_does_not_end_the_answer() {
    let log = log();
    let request = request("ann", "Why?");
    let client = Client { stays_for: Some(4), ..Client::default() };
    let (outcome, client) = play(&log, &request, Script::of(40, ms(100)), client).await;
    assert!(matches!(outcome.ending, Ending::Done(StopReason::EndTurn)), "{outcome:?}");
    assert_eq!(client.events.len(), 4);
    assert_eq!(outcome.messages, 4);
    let events = resume(&log, &request, Some(3)).await;
    let whole = [client.events, events].concat();
    assert_eq!(whole.iter().filter_map(StreamEvent::seq).collect::<Vec<_>>(), (0..42).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_nobody_comes_back_to_is_given_up() {
    let log = log();
    let request = request("ann", "Why?");
    let client = Client { stays_for: Some(4), ..Client::default() };
    let start = Instant::now();
    let (outcome, _) = play(&log, &request, Script::of(1_000, ms(100)), client).await;
    assert!(matches!(outcome.ending, Ending::Undelivered(SinkError::Gone)), "{outcome:?}");
    let gone_for = start.elapsed();
    assert!((30..32).contains(&gone_for.as_secs()), "{gone_for:?}");
    let StreamEvent::Error { seq: None, error, .. } = resume(&log, &request, None).await.pop().unwrap()
    else {
        panic!("no error at the end")
    };
    assert_eq!(error.code, ErrorCode::Interrupted);
}

#[tokio::test(start_paused = true)]
async fn with_no_patience_a_client_that_goes_ends_the_answer_at_once() {
    let log = log_with(Options { abandon_after: Duration::ZERO, ..OPTIONS });
    let request = request("ann", "Why?");
    let client = Client { stays_for: Some(4), ..Client::default() };
    let start = Instant::now();
    let (outcome, _) = play(&log, &request, Script::of(1_000, ms(100)), client).await;
    assert!(matches!(outcome.ending, Ending::Undelivered(SinkError::Gone)), "{outcome:?}");
    assert!(start.elapsed() < ms(700), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_lease_is_renewed_as_long_as_the_answer_takes() {
    let log = log();
    let request = request("ann", "Why?");
    let key = key_of(&request);
    let look = async {
        sleep(ms(200)).await;
        let first = memory(&log).look(&key).await.unwrap().unwrap().lease_until;
        // Real time passes too, a little, and the lease is in real time.
        memory(&log).change(&key, |head| head.lease_until = 1);
        sleep(pace::RENEW_EVERY + ms(500)).await;
        let renewed = memory(&log).look(&key).await.unwrap().unwrap().lease_until;
        assert!(renewed >= first, "{renewed} {first}");
    };
    tokio::join!(play(&log, &request, Script::of(100, ms(100)), Client::default()), look);
}
