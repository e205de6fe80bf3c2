use std::time::Duration;

use tokio::time::timeout;

use super::*;

#[test]
fn a_chunk_is_framed_with_its_size_in_hexadecimal() {
    for (len, size) in
        [(1, "1"), (15, "f"), (16, "10"), (255, "ff"), (256, "100"), (65_535, "ffff"), (65_536, "10000")]
    {
        let chunk = vec![b'x'; len];
        let mut unsent = b"before".to_vec();
        push_chunk(&mut unsent, &chunk);
        let expected = [b"before", size.as_bytes(), b"\r\n", &chunk, b"\r\n"].concat();
        assert!(unsent == expected, "{len}");
    }
    let mut unsent = Vec::new();
    push_chunk(&mut unsent, b"");
    assert!(unsent.is_empty(), "an empty chunk would end the body");
}

#[test]
fn a_verdict_is_read_whole_and_tells_whether_the_connection_is_kept() {
    let check = |heard: &str, expected: Option<(u16, bool)>| {
        for end in 0..heard.len() {
            let early = Verdict::read(&heard.as_bytes()[..end]).unwrap();
            assert!(
                early.is_none() || expected.is_some_and(|(_, kept)| !kept),
                "{heard:?} at {end}: {early:?}"
            );
        }
        let verdict = Verdict::read(heard.as_bytes()).unwrap();
        assert_eq!(
            verdict.map(|verdict| (verdict.status.as_u16(), verdict.keeps_connection)),
            expected,
            "{heard:?}"
        );
    };
    check("HTTP/1.1 202 Accepted\r\nContent-Length: 16\r\n\r\n{\"status\":\"OK\"}\n", Some((202, true)));
    check("HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n", Some((202, true)));
    check(
        "HTTP/1.1 413 Payload Too Large\r\nConnection: Close\r\ncontent-length: 2\r\n\r\n{}",
        Some((413, false)),
    );
    check("HTTP/1.1 202 Accepted\r\n\r\n", Some((202, false)));
    check("HTTP/1.1 202 Accepted\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", Some((202, false)));
    check("HTTP/1.1 202 Accepted\r\ncontent-length: 5\r\n\r\nfour", None);
    for nonsense in ["nonsense\r\n\r\n", "HTTP/1.1 99\r\n\r\n"] {
        assert!(matches!(Verdict::read(nonsense.as_bytes()), Err(RuntimeError::BrokenOff)), "{nonsense:?}");
    }
}

/// Sends as many as fit into the socket, and one whose writer gives up.
async fn fill(delivery: &Delivery, chunk: &str) -> usize {
    for sent in 0..1000 {
        match timeout(Duration::from_millis(50), delivery.send(chunk.as_bytes())).await {
            Ok(result) => result.unwrap(),
            Err(_) => return sent,
        }
    }
    panic!("nobody reads, and it is taken");
}

#[tokio::test]
async fn a_slow_reader_slows_the_writer_and_loses_nothing() {
    let (delivery, socket) = socket::Socket::open().await;
    let head = crate::responder::no_content();
    delivery.begin(&head).await.unwrap();
    let chunk = "x".repeat(64 * 1024);
    let chunks = fill(&delivery, &chunk).await;
    let reading = tokio::task::spawn_blocking(move || socket.read());
    delivery.send(b"the last").await.unwrap();
    delivery.break_off("Runtime.Panic").await.unwrap();
    assert_eq!(delivery.send(b"more").await, Err(Closed), "it has ended");
    drop(delivery);
    let sent = reading.await.unwrap();
    assert_eq!(sent.error_type.as_deref(), Some("Runtime.Panic"));
    assert!(sent.body == chunk.repeat(chunks + 1) + "the last", "{} bytes", sent.body.len());
}

#[tokio::test]
async fn whoever_only_writes_notices_a_refusal_too() {
    let (delivery, mut socket) = socket::Socket::open().await;
    delivery.begin(&crate::responder::no_content()).await.unwrap();
    delivery.send(b"a").await.unwrap();
    socket.say("HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n");
    let mut sent = 0;
    while delivery.send(b"b").await.is_ok() {
        sent += 1;
        assert!(sent < 1000, "the socket takes it, and nobody reads it");
        tokio::task::yield_now().await;
    }
    let verdict = delivery.finish().await.unwrap();
    assert_eq!(verdict, Verdict { status: http::StatusCode::FORBIDDEN, keeps_connection: false });
}

#[tokio::test]
async fn whoever_waits_for_room_notices_a_refusal_too() {
    let (delivery, mut socket) = socket::Socket::open().await;
    delivery.begin(&crate::responder::no_content()).await.unwrap();
    fill(&delivery, &"x".repeat(64 * 1024)).await;
    let refuse = async { socket.say("HTTP/1.1 413 Payload Too Large\r\ncontent-length: 0\r\n\r\n") };
    let send = timeout(Duration::from_secs(5), delivery.send(b"more"));
    let (result, ()) = tokio::join!(send, refuse);
    assert_eq!(result, Ok(Err(Closed)));
}
