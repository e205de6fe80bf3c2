use chat::{CancelRequest, ErrorCode, ResumeRequest, StreamId};

use super::*;
use crate::{Begun, ClaimError, Over, Phase, Queued, Store as _};

/// The end of a request that gets no stream.
async fn refused(log: &Log, request: &ChatRequest) -> ClaimError {
    log.claim(request, &limits()).await.err().expect("a refusal")
}

#[tokio::test(start_paused = true)]
async fn while_an_answer_runs_its_id_is_taken_whoever_asks_the_same() {
    let log = log();
    let request = request("ann", "Why?");
    let (_attempt, _keeper) = won(&log, &request).await;
    assert!(matches!(refused(&log, &request).await, ClaimError::Conflict));
    assert!(matches!(log.queue(&request).await, Err(ClaimError::Conflict)));
    assert!(matches!(log.begin(&request).await, Ok(Begun::Elsewhere)));
}

#[tokio::test(start_paused = true)]
async fn an_id_in_capitals_is_the_same_id() {
    let log = log();
    let mut request = request("ann", "Why?");
    let (_attempt, _keeper) = won(&log, &request).await;
    request.stream_id = StreamId::parse(&request.stream_id.as_str().to_uppercase()).unwrap();
    assert!(matches!(refused(&log, &request).await, ClaimError::Conflict));
}

#[tokio::test(start_paused = true)]
async fn the_same_request_is_answered_again_from_the_log_and_another_one_is_not() {
    let log = log();
    let mut request = request("ann", "Why?");
    let (_, client) = play(&log, &request, Script::of(5, ms(100)), Client::default()).await;
    let Ok(Claim::Answered(stream)) = log.claim(&request, &limits()).await else { panic!("not answered") };
    let mut again = Client::default();
    stream.run("id", &mut again, &limits()).await;
    assert_eq!(again.events, client.events);
    assert_eq!(log.queue(&request).await.unwrap(), Queued::Answered);
    assert!(matches!(log.begin(&request).await, Ok(Begun::Elsewhere)));
    request.max_tokens += 1;
    assert!(matches!(refused(&log, &request).await, ClaimError::Conflict));
    assert!(matches!(log.queue(&request).await, Err(ClaimError::Conflict)));
}

#[tokio::test(start_paused = true)]
async fn two_users_may_use_one_id_and_do_not_find_each_others_stream() {
    let log = log();
    let anns = request("ann", "Why?");
    let bobs = ChatRequest { caller: caller("bob"), ..anns.clone() };
    play(&log, &anns, Script::of(3, ms(1)), Client::default()).await;
    let wanted = ResumeRequest { stream_id: anns.stream_id.clone(), after: None };
    assert!(log.find(&bobs.caller, &wanted).await.unwrap().is_none());
    assert!(!log.cancel(&bobs.caller, &CancelRequest { stream_id: anns.stream_id.clone() }).await.unwrap());
    won(&log, &bobs).await;
    assert!(log.find(&bobs.caller, &wanted).await.unwrap().is_some());
}

#[tokio::test(start_paused = true)]
async fn what_the_model_refused_may_be_asked_again_under_the_same_id() {
    let log = log();
    let request = request("ann", "Why?");
    let (attempt, keeper) = won(&log, &request).await;
    keeper.keep(async { attempt.give_up(ErrorCode::ModelThrottled) }).await;
    let kept = memory(&log).kept(&key_of(&request)).unwrap();
    assert_eq!((kept.head.phase, kept.head.code), (Phase::Refused, Some(ErrorCode::ModelThrottled)));
    assert_eq!(memory(&log).account("ann").tokens, 0, "nothing was used");
    let events = resume(&log, &request, None).await;
    assert!(
        matches!(&events[..], [StreamEvent::Error { seq: None, error, .. }] if error.code == ErrorCode::ModelThrottled)
    );
    won(&log, &request).await;
}

#[tokio::test(start_paused = true)]
async fn a_queued_prompt_is_acknowledged_again_and_answered_once() {
    let log = log();
    let request = request("ann", "Why?");
    assert_eq!(log.queue(&request).await.unwrap(), Queued::Send);
    assert_eq!(log.queue(&request).await.unwrap(), Queued::Send, "whether it was sent is not known");
    let Ok(Begun::Won(attempt, keeper)) = log.begin(&request).await else { panic!("not won") };
    assert!(matches!(log.begin(&request).await, Ok(Begun::Elsewhere)));
    keeper.keep(async { attempt.give_up(ErrorCode::ModelThrottled) }).await;
    assert!(matches!(log.begin(&request).await, Ok(Begun::Refused(ErrorCode::ModelThrottled))));
    assert_eq!(memory(&log).account("ann").running.len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_prompt_that_nobody_has_heard_of_is_begun_all_the_same() {
    let log = log();
    assert!(matches!(log.begin(&request("ann", "Why?")).await, Ok(Begun::Won(..))));
}

#[tokio::test(start_paused = true)]
async fn a_prompt_can_be_cancelled_while_it_waits_in_the_queue() {
    let log = log();
    let request = request("ann", "Why?");
    log.queue(&request).await.unwrap();
    let wanted = CancelRequest { stream_id: request.stream_id.clone() };
    assert!(log.cancel(&request.caller, &wanted).await.unwrap());
    let Ok(Begun::Won(attempt, _keeper)) = log.begin(&request).await else { panic!("not won") };
    attempt.cancellation().requested().await;
}

#[tokio::test(start_paused = true)]
async fn the_death_of_a_worker_is_told_once() {
    let log = log();
    let request = request("ann", "Why?");
    log.queue(&request).await.unwrap();
    let Ok(Begun::Won(..)) = log.begin(&request).await else { panic!("not won") };
    assert!(matches!(log.begin(&request).await, Ok(Begun::Elsewhere)), "its lease lasts");
    memory(&log).change(&key_of(&request), |head| head.lease_until = 1);
    assert!(matches!(log.begin(&request).await, Ok(Begun::Died)));
    assert!(matches!(log.begin(&request).await, Ok(Begun::Elsewhere)));
}

#[tokio::test(start_paused = true)]
async fn a_user_has_so_many_answers_at_once_and_others_are_not_concerned() {
    let log = log();
    let first = request("ann", "1");
    let (attempt, keeper) = won(&log, &first).await;
    let second = request("ann", "2");
    log.queue(&second).await.unwrap();
    let third = request("ann", "3");
    assert!(matches!(refused(&log, &third).await, ClaimError::Over(Over::Streams { cap: 2 })));
    assert!(matches!(log.queue(&third).await, Err(ClaimError::Over(Over::Streams { cap: 2 }))));
    won(&log, &request("bob", "1")).await;
    keeper.keep(async { attempt.give_up(ErrorCode::ModelError) }).await;
    won(&log, &third).await;
}

#[tokio::test(start_paused = true)]
async fn tokens_are_reserved_before_the_call_and_settled_after_it() {
    let log = log();
    for used in [7, 30] {
        let request = request("ann", "Why?");
        let (attempt, keeper) = won(&log, &request).await;
        let before = memory(&log).account("ann").tokens;
        let opening = Opening { stream_id: request.stream_id.clone(), model: Arc::from("a-model") };
        let limits = limits();
        let mut sink = attempt.record(Client::default());
        let answer = relay(opening, Script::of(used, ms(1)), &mut sink, &limits, attempt.cancellation());
        keeper.keep(answer).await;
        assert_eq!(memory(&log).account("ann").tokens, before - 100 + used as u64);
    }
    assert_eq!(memory(&log).account("ann").tokens, 37);
    let mut large = request("ann", "Why?");
    large.max_tokens = 964;
    let ClaimError::Over(over) = refused(&log, &large).await else { panic!("not over") };
    assert!(matches!(over, Over::Tokens { cap: 1_000, left: 963, retry_after: 1..=86_400 }), "{over:?}");
    large.max_tokens = 963;
    won(&log, &large).await;
}

#[tokio::test(start_paused = true)]
async fn a_stopped_answer_is_settled_by_its_text() {
    let log = log();
    let request = request("ann", "Why?");
    let cancel = async {
        sleep(ms(1_050)).await;
        let wanted = CancelRequest { stream_id: request.stream_id.clone() };
        log.cancel(&request.caller, &wanted).await.unwrap();
    };
    let play = play(&log, &request, Script::of(100, ms(100)), Client::default());
    let ((_, client), ()) = tokio::join!(play, cancel);
    let bytes = text(&client.events).len() as u64;
    assert!(bytes >= 20, "{bytes}");
    assert_eq!(memory(&log).account("ann").tokens, bytes.div_ceil(3));
}

#[tokio::test(start_paused = true)]
async fn without_a_log_everything_may_be_asked_and_nothing_is_found() {
    let log = Log::off();
    let request = request("ann", "Why?");
    play(&log, &request, Script::of(3, ms(1)), Client::default()).await;
    won(&log, &request).await;
    assert_eq!(log.queue(&request).await.unwrap(), Queued::Send);
    assert!(matches!(log.begin(&request).await, Ok(Begun::Won(..))));
    let wanted = ResumeRequest { stream_id: request.stream_id.clone(), after: None };
    assert!(log.find(&request.caller, &wanted).await.unwrap().is_none());
    assert!(
        !log.cancel(&request.caller, &CancelRequest { stream_id: request.stream_id.clone() }).await.unwrap()
    );
}

#[tokio::test(start_paused = true)]
async fn nothing_is_in_the_table_that_was_asked() {
    let log = log();
    let request = request("ann", "a secret prompt");
    play(&log, &request, Script::of(1, ms(1)), Client::default()).await;
    let head = memory(&log).look(&key_of(&request)).await.unwrap().unwrap();
    assert!(!format!("{head:?}").contains("secret"));
}
