use chat::ErrorCode;
use fastrand::Rng;

use super::*;
use crate::Store as _;

#[tokio::test(start_paused = true)]
async fn whoever_comes_in_the_middle_hears_the_rest_as_it_was_sent_and_soon() {
    let mut random = Rng::with_seed(6);
    for _ in 0..200 {
        let log = log();
        let request = request("ann", "Why?");
        let after = Some(random.u64(..60)).filter(|_| random.bool());
        let comes = ms(random.u64(1..4_000));
        let reading = async {
            sleep(comes).await;
            let events = resume(&log, &request, after).await;
            (events, Instant::now())
        };
        let play = play(&log, &request, Script::of(50, ms(random.u64(1..80))), Client::default());
        let ((_, client), (events, read_at)) = tokio::join!(play, reading);
        let from = after.map_or(0, |after| after + 1);
        let missing: Vec<_> =
            client.events.iter().filter(|event| event.seq() >= Some(from)).cloned().collect();
        if missing.is_empty() {
            // It asks for what comes after the end.
            assert!(matches!(&events[..], [StreamEvent::Error { seq: None, .. }]), "{events:?}");
            continue;
        }
        assert_eq!(events, missing);
        let behind = read_at.saturating_duration_since(*client.times.last().unwrap());
        assert!(behind <= comes.max(ms(600)), "{behind:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_reader_keeps_an_answer_alive_whose_client_has_gone() {
    let log = log();
    let request = request("ann", "Why?");
    let reading = async {
        sleep(ms(20_000)).await;
        resume(&log, &request, None).await
    };
    let client = Client { stays_for: Some(4), ..Client::default() };
    let play = play(&log, &request, Script::of(1_000, ms(100)), client);
    let ((outcome, _), events) = tokio::join!(play, reading);
    assert!(matches!(outcome.ending, chat::Ending::Done(StopReason::EndTurn)), "{outcome:?}");
    assert_eq!(events.len(), 1_002);
}

#[tokio::test(start_paused = true)]
async fn a_reader_hears_of_a_producer_that_died() {
    let log = log();
    let request = request("ann", "Why?");
    let (_attempt, _keeper) = won(&log, &request).await;
    memory(&log).change(&key_of(&request), |head| head.lease_until = 1);
    let events = resume(&log, &request, None).await;
    assert!(
        matches!(&events[..], [StreamEvent::Error { seq: None, error, .. }] if error.code == ErrorCode::Interrupted)
    );
}

#[tokio::test(start_paused = true)]
async fn text_is_not_joined_over_a_hole() {
    let log = log();
    let request = request("ann", "Why?");
    let (_, client) = play(&log, &request, Script::of(100, ms(20)), Client::default()).await;
    memory(&log).lose(&key_of(&request), 2);
    let events = resume(&log, &request, None).await;
    let (last, before) = events.split_last().unwrap();
    assert!(
        matches!(last, StreamEvent::Error { seq: None, error, .. } if error.code == ErrorCode::Interrupted)
    );
    assert!(before.len() > 5 && client.events.starts_with(before));
}

#[tokio::test(start_paused = true)]
async fn a_silent_stream_is_read_with_pings() {
    let log = log();
    let request = request("ann", "Why?");
    let wanted = ResumeRequest { stream_id: request.stream_id.clone(), after: None };
    let reading = async {
        sleep(ms(10)).await;
        let stream = log.find(&request.caller, &wanted).await.unwrap().unwrap();
        let mut client = Client::default();
        stream.run("id", &mut client, &limits()).await;
        client.events
    };
    let (_, events) =
        tokio::join!(play(&log, &request, Script::of(2, ms(25_000)), Client::default()), reading);
    let pings =
        events.iter().filter(|event| matches!(event, StreamEvent::Ping { stream_id: Some(_) })).count();
    assert_eq!((pings, heard(&events).len()), (4, 4), "{events:?}");
}

#[tokio::test(start_paused = true)]
async fn so_far_tells_what_there_is_and_whether_it_is_all() {
    let log = log();
    let request = request("ann", "Why?");
    let wanted = |after| ResumeRequest { stream_id: request.stream_id.clone(), after };
    let so_far = async |after, max_bytes| {
        let stream = log.find(&request.caller, &wanted(after)).await.unwrap().unwrap();
        stream.so_far(max_bytes).await.unwrap()
    };
    let looking = async {
        sleep(ms(1_000)).await;
        let (events, ended) = so_far(None, 1_000_000).await;
        assert!(!ended && (20..50).contains(&events.len()), "{}", events.len());
        let (rest, ended) = so_far(Some(5), 1_000_000).await;
        assert!(!ended && rest[..] == events[6..], "{}", rest.len());
    };
    let ((_, client), ()) =
        tokio::join!(play(&log, &request, Script::of(100, ms(20)), Client::default()), looking);
    assert_eq!(so_far(None, 1_000_000).await, (client.events.clone(), true));
    assert_eq!(so_far(Some(98), 1_000_000).await, (client.events[99..].to_vec(), true));
    memory(&log).watch(&key_of(&request), 0).await.unwrap();
}
