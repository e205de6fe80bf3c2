//! `@connections`.

use futures_util::StreamExt;

use crate::faults::{At, CallFault, DeliveryFault, Plan};

use super::{Error, MAX_FRAME, MAX_MESSAGE, ProtocolError, SIGNED, closed_with, serve};

#[tokio::test]
async fn posts_arrive_in_order_and_in_frames_of_32_kb() {
    let served = serve(|_| {}).await;
    let (mut client, id) = served.connect().await;
    for size in [0, 1, MAX_FRAME, MAX_FRAME + 1, MAX_MESSAGE] {
        assert_eq!(served.post(&id, &vec![b'x'; size]).await, 200);
    }
    for size in [0, 1, MAX_FRAME, MAX_FRAME + 1, MAX_MESSAGE] {
        assert_eq!(client.next().await.unwrap().unwrap().len(), size);
    }
    assert_eq!(served.api.posts(), 5);
    served.lambda.shutdown().await;
}

#[tokio::test]
async fn posts_are_refused_as_documented() {
    let served = serve(|_| {}).await;
    let (mut client, id) = served.connect().await;
    assert_eq!(served.post(&id, &vec![b'x'; MAX_MESSAGE + 1]).await, 413);
    assert_eq!(served.post(&id, b"\xff").await, 400);
    let (status, answer) = served.call("POST", &id, "", b"x").await;
    assert!(status == 403 && answer.contains("x-amzn-errortype: AccessDeniedException"), "{answer}");
    let (status, answer) = served.call("POST", "nobody=", SIGNED, b"x").await;
    assert!(status == 410 && answer.contains("x-amzn-errortype: GoneException"), "{answer}");
    let statuses = [429, 500, 403, 413, 410];
    let posts = (0..).zip(statuses).map(|(call, status)| At::once(call, CallFault::Refuse(status))).collect();
    served.faults.plan("", Plan { posts, ..Plan::default() });
    for status in statuses {
        assert_eq!(served.post(&id, b"x").await, status);
    }
    assert_eq!(served.api.posts(), 0);
    assert_eq!(served.post(&id, b"fine").await, 200);
    assert_eq!(client.next().await.unwrap().unwrap().to_text().unwrap(), "fine");
    served.lambda.shutdown().await;
}

#[tokio::test]
async fn a_client_that_does_not_read_is_429_and_can_still_be_deleted() {
    let served = serve(|_| {}).await;
    let (client, id) = served.connect().await;
    let message = vec![b'x'; MAX_MESSAGE];
    let mut accepted = 0;
    loop {
        match served.post(&id, &message).await {
            200 => accepted += 1,
            status => break assert_eq!(status, 429),
        }
        assert!(accepted < 1000, "the queue is not bounded");
    }
    assert!(accepted >= 64);
    assert_eq!(served.call("DELETE", &id, SIGNED, b"").await.0, 204);
    served.disconnected(&id, 1000).await;
    drop(client);
    served.lambda.shutdown().await;
}

#[tokio::test]
async fn a_connection_can_be_described_and_deleted() {
    let served = serve(|_| {}).await;
    let (mut client, id) = served.connect().await;
    let (status, answer) = served.call("GET", &id, SIGNED, b"").await;
    assert!(status == 200 && answer.contains("\"sourceIp\":\"127.0.0.1\""), "{answer}");
    assert_eq!(served.post(&id, b"last").await, 200);
    assert_eq!(served.call("DELETE", &id, SIGNED, b"").await.0, 204);
    assert_eq!(client.next().await.unwrap().unwrap().to_text().unwrap(), "last");
    assert_eq!(closed_with(&mut client).await, 1000);
    served.disconnected(&id, 1000).await;
    assert_eq!(served.call("DELETE", &id, SIGNED, b"").await.0, 410);
    served.lambda.shutdown().await;
}

#[tokio::test]
async fn a_plan_decides_what_of_the_posts_arrives() {
    let served = serve(|_| {}).await;
    let (mut client, id) = served.connect().await;
    let deliveries = vec![
        At::once(0, DeliveryFault::Lose),
        At::once(1, DeliveryFault::Repeat),
        At::once(2, DeliveryFault::Swap),
        At::once(4, DeliveryFault::Cut),
    ];
    let planned = served.faults.plan("mine", Plan { deliveries, ..Plan::default() });
    for post in ["mine 0", "other", "mine 1", "mine 2", "mine 3", "mine 4"] {
        assert_eq!(served.post(&id, post.as_bytes()).await, 200, "each is accepted");
    }
    for expected in ["other", "mine 1", "mine 1", "mine 3", "mine 2"] {
        assert_eq!(client.next().await.unwrap().unwrap().to_text().unwrap(), expected);
    }
    let lost = client.next().await.expect("an error").expect_err("no close frame");
    assert!(matches!(lost, Error::Protocol(ProtocolError::ResetWithoutClosingHandshake)), "{lost}");
    served.disconnected(&id, 1006).await;
    assert_eq!((planned.sent().len(), planned.calls()), (5, [5, 0, 0]));
    served.lambda.shutdown().await;
}
