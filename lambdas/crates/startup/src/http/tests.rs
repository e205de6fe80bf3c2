use http_body_util::Full;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::{JoinHandle, yield_now},
    time::{advance, pause, resume},
};

use super::{kept::KEPT_FOR, *};

const MINUTE: Duration = Duration::from_mins(1);
const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n.";

fn get() -> Request<Full<Bytes>> {
    Request::new(Full::default())
}

async fn listener(scheme: &str) -> (TcpListener, Url) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("{scheme}://{}/", listener.local_addr().unwrap()).parse().unwrap();
    (listener, url)
}

async fn accept(listener: &TcpListener) -> TcpStream {
    listener.accept().await.unwrap().0
}

/// The next request, without a body.
async fn head(connection: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(connection.read_u8().await.unwrap());
    }
    String::from_utf8(head).unwrap()
}

async fn answer(connection: &mut TcpStream, bytes: &[u8]) {
    head(connection).await;
    connection.write_all(bytes).await.unwrap();
}

/// Whether the client closed it, having sent nothing more.
async fn is_closed(connection: &mut TcpStream) -> bool {
    matches!(connection.read(&mut [0; 1]).await, Ok(0))
}

async fn until_kept(client: &HttpClient, connections: usize) {
    while client.kept.connections() != connections {
        yield_now().await;
    }
}

/// Until what is kept now is not used any more.
async fn grow_old() {
    pause();
    advance(KEPT_FOR).await;
    resume();
}

/// One that answers once on each of its connections, and gives the first of them back.
fn answering_once(listener: TcpListener) -> JoinHandle<TcpStream> {
    tokio::spawn(async move {
        let mut first = accept(&listener).await;
        answer(&mut first, ANSWER).await;
        answer(&mut accept(&listener).await, ANSWER).await;
        first
    })
}

#[tokio::test]
async fn a_request_names_its_path_and_its_host() {
    let (listener, base) = listener("http").await;
    let url: Url = format!("{base}a%20b/c?d=e").parse().unwrap();
    let server = tokio::spawn(async move {
        let mut connection = accept(&listener).await;
        let head = head(&mut connection).await;
        connection.write_all(ANSWER).await.unwrap();
        head
    });
    HttpClient::new().send(&url, get(), MINUTE).await.unwrap();
    let host = url.host().to_str().unwrap();
    assert_eq!(server.await.unwrap(), format!("GET /a%20b/c?d=e HTTP/1.1\r\nhost: {host}\r\n\r\n"));
}

#[tokio::test]
async fn a_connection_is_used_again_unless_it_went_silent() {
    let (listener, url) = listener("http").await;
    let server = tokio::spawn(async move {
        let mut first = accept(&listener).await;
        for _ in 0..2 {
            answer(&mut first, ANSWER).await;
        }
        // The third request of this connection is not answered.
        head(&mut first).await;
        answer(&mut accept(&listener).await, ANSWER).await;
        assert!(is_closed(&mut first).await, "the silent connection");
    });
    let client = HttpClient::new();
    let ask = |limit| client.send(&url, get(), limit);
    assert_eq!(ask(MINUTE).await.unwrap().1, ".");
    assert_eq!(ask(MINUTE).await.unwrap().1, ".");
    let error = ask(Duration::from_millis(50)).await.unwrap_err();
    assert_eq!(error.to_string(), format!("no answer from {url} within 50ms"));
    assert_eq!(ask(MINUTE).await.unwrap().1, ".");
    server.await.unwrap();
}

/// As it is after an environment was frozen: that the connection has ended is read only when the next request is under way.
#[tokio::test]
async fn a_request_that_finds_its_connection_closed_is_sent_over_another() {
    let (listener, url) = listener("http").await;
    let (close, closed) = (std::sync::mpsc::channel(), std::sync::mpsc::channel());
    let listener = listener.into_std().unwrap();
    listener.set_nonblocking(false).unwrap();
    let server = std::thread::spawn(move || {
        use std::io::{Read as _, Write as _};
        for _ in 0..2 {
            let (mut connection, _) = listener.accept().unwrap();
            assert_ne!(connection.read(&mut [0; 1024]).unwrap(), 0);
            connection.write_all(ANSWER).unwrap();
            close.1.recv().unwrap();
            drop(connection);
            closed.0.send(()).unwrap();
        }
    });
    let client = HttpClient::new();
    client.send(&url, get(), MINUTE).await.unwrap();
    close.0.send(()).unwrap();
    closed.1.recv().unwrap();
    yield_now().await;
    assert_eq!(client.kept.connections(), 1);
    client.send(&url, get(), MINUTE).await.unwrap();
    close.0.send(()).unwrap();
    server.join().unwrap();
}

#[tokio::test]
async fn a_request_that_was_sent_is_not_sent_again() {
    let (listener, url) = listener("http").await;
    let server = tokio::spawn(async move {
        let mut connection = accept(&listener).await;
        answer(&mut connection, ANSWER).await;
        head(&mut connection).await;
        drop(connection);
        listener
    });
    let client = HttpClient::new();
    client.send(&url, get(), MINUTE).await.unwrap();
    let error = client.send(&url, get(), MINUTE).await.unwrap_err();
    assert!(matches!(error, HttpError::Failed { .. }), "{error:?}");
    // Whoever connects now is the first to do so.
    let listener = server.await.unwrap();
    let own = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    assert_eq!(listener.accept().await.unwrap().1, own.local_addr().unwrap());
}

#[tokio::test]
async fn a_body_that_is_dropped_takes_its_connection_along() {
    let (listener, url) = listener("http").await;
    let server = tokio::spawn(async move {
        let mut connection = accept(&listener).await;
        answer(&mut connection, b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n.").await;
        assert!(is_closed(&mut connection).await);
    });
    let client = HttpClient::new();
    let mut response = client.open(&url, get()).await.unwrap();
    response.body_mut().frame().await.unwrap().unwrap();
    drop(response);
    server.await.unwrap();
    assert_eq!(client.kept.connections(), 0);
}

#[tokio::test]
async fn a_body_that_is_read_leaves_its_connection_to_the_next() {
    let (listener, url) = listener("http").await;
    let server = tokio::spawn(async move {
        let mut connection = accept(&listener).await;
        head(&mut connection).await;
        let pieces =
            ["HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n", "2\r\nde\r\n0\r\n\r\n"];
        for piece in pieces {
            connection.write_all(piece.as_bytes()).await.unwrap();
            yield_now().await;
        }
        answer(&mut connection, pieces.concat().as_bytes()).await;
    });
    let client = HttpClient::new();
    let response = client.open(&url, get()).await.unwrap();
    assert_eq!(client.kept.connections(), 0, "not while it is read");
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "abcde");
    until_kept(&client, 1).await;
    assert_eq!(client.send(&url, get(), MINUTE).await.unwrap().1, "abcde");
    server.await.unwrap();
}

#[tokio::test]
async fn requests_at_one_time_have_a_connection_each() {
    let (listener, url) = listener("http").await;
    let server = tokio::spawn(async move {
        let mut both = [accept(&listener).await, accept(&listener).await];
        for connection in &mut both {
            head(connection).await;
        }
        for connection in &mut both {
            connection.write_all(ANSWER).await.unwrap();
        }
        let [first, second] = &mut both;
        tokio::join!(answer(first, ANSWER), answer(second, ANSWER));
        both
    });
    let client = HttpClient::new();
    for _ in 0..2 {
        let (one, other) = tokio::join!(client.send(&url, get(), MINUTE), client.send(&url, get(), MINUTE));
        assert_eq!((one.unwrap().1, other.unwrap().1), (".".into(), ".".into()));
        until_kept(&client, 2).await;
    }
    server.await.unwrap();
}

#[tokio::test]
async fn a_connection_is_not_used_for_another_host() {
    let (one, url) = listener("http").await;
    let (other, other_url) = listener("http").await;
    let servers = [one, other].map(|listener| {
        tokio::spawn(async move {
            let mut connection = accept(&listener).await;
            answer(&mut connection, ANSWER).await;
            answer(&mut connection, ANSWER).await;
        })
    });
    let client = HttpClient::new();
    for url in [&url, &other_url, &url, &other_url] {
        client.send(url, get(), MINUTE).await.unwrap();
    }
    for server in servers {
        server.await.unwrap();
    }
}

#[tokio::test]
async fn a_connection_that_had_nothing_to_do_for_long_is_closed_and_not_used() {
    let (listener, url) = listener("http").await;
    let server = answering_once(listener);
    let client = HttpClient::new();
    client.send(&url, get(), MINUTE).await.unwrap();
    grow_old().await;
    client.send(&url, get(), MINUTE).await.unwrap();
    assert!(is_closed(&mut server.await.unwrap()).await);
}

#[tokio::test]
async fn connections_that_nobody_needs_any_more_do_not_pile_up() {
    let (one, url) = listener("http").await;
    let (other, other_url) = listener("http").await;
    let (server, _other) = (answering_once(one), answering_once(other));
    let client = HttpClient::new();
    client.send(&url, get(), MINUTE).await.unwrap();
    grow_old().await;
    client.send(&other_url, get(), MINUTE).await.unwrap();
    assert_eq!(client.kept.connections(), 1);
    server.abort();
}

#[tokio::test(start_paused = true)]
async fn a_handshake_that_does_not_come_is_not_waited_for() {
    let (listener, url) = listener("https").await;
    let client = HttpClient::new();
    let began = Instant::now();
    let opened = client.open(&url, get()).await.unwrap_err();
    let sent = client.send(&url, get(), MINUTE).await.unwrap_err();
    for error in [opened, sent] {
        assert!(matches!(error, HttpError::TimedOut { limit: CONNECT_TIMEOUT, .. }), "{error:?}");
    }
    assert_eq!(began.elapsed(), 2 * CONNECT_TIMEOUT);
    drop(listener);
}

#[tokio::test(start_paused = true)]
async fn each_request_has_its_own_limit() {
    let (_listener, url) = listener("http").await;
    let client = HttpClient::new();
    for limit in [10, 1, 5].map(Duration::from_secs) {
        let began = Instant::now();
        let error = client.send(&url, get(), limit).await.unwrap_err();
        assert_eq!(error.to_string(), format!("no answer from {url} within {limit:?}"));
        assert_eq!(began.elapsed(), limit);
    }
}

#[tokio::test]
async fn nobody_there_is_no_timeout() {
    let (listener, url) = listener("http").await;
    drop(listener);
    let error = HttpClient::new().open(&url, get()).await.unwrap_err();
    assert!(matches!(error, HttpError::Failed { .. }), "{error:?}");
}
