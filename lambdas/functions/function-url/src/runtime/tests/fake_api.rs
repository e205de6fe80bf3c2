//! The Lambda Runtime API, by hand: what goes over the socket is looked at byte by byte.

use std::time::Duration;

use http::Uri;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::{mpsc, oneshot},
    time::{Instant, timeout},
};

/// So that a test that waits for what does not happen ends.
const PATIENCE: Duration = Duration::from_secs(5);

const ACCEPTED: &str = "HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n";

pub(super) struct FakeApi {
    requests: mpsc::UnboundedReceiver<Exchange>,
}

/// A request whose head has arrived, and which waits for an answer.
pub(super) struct Exchange {
    /// Method and path.
    pub(super) line: String,
    /// Connections are counted.
    pub(super) connection: usize,
    headers: Vec<(String, String)>,
    body: mpsc::UnboundedReceiver<Piece>,
    reply: oneshot::Sender<Reply>,
}

#[derive(Debug, PartialEq)]
pub(super) enum Piece {
    /// One chunk as it was framed, or all of a body with a length, and when it arrived.
    Chunk(Vec<u8>, Instant),
    /// The end of a chunked body, with its trailers.
    End(Vec<(String, String)>),
}

enum Reply {
    Send(String),
    /// And nothing more; the last is told when that is done.
    SendAndHangUp(String, oneshot::Sender<()>),
    HangUp,
}

pub(super) async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    timeout(PATIENCE, future).await.unwrap_or_else(|_| panic!("{what} did not happen"))
}

impl FakeApi {
    pub(super) async fn start() -> (Uri, Self) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        let (to_test, requests) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            for number in 0.. {
                let Ok((connection, _)) = listener.accept().await else { break };
                tokio::spawn(converse(number, connection, to_test.clone()));
            }
        });
        (endpoint, Self { requests })
    }

    pub(super) async fn request(&mut self) -> Exchange {
        soon("a request", self.requests.recv()).await.expect("the listener lives as long as the test")
    }

    /// Answers the loop's question for the next event.
    pub(super) async fn invoke(&mut self, request_id: &str) {
        self.invoke_for(Duration::from_mins(1), request_id).await;
    }

    pub(super) async fn invoke_for(&mut self, time: Duration, request_id: &str) {
        let next = self.request().await;
        assert_eq!(next.line, "GET /2018-06-01/runtime/invocation/next");
        let deadline_ms = u128::from(startup::unix_millis()) + time.as_millis();
        next.reply(&format!(
            "HTTP/1.1 200 OK\r\nlambda-runtime-aws-request-id: {request_id}\r\n\
             lambda-runtime-deadline-ms: {deadline_ms}\r\ncontent-length: 2\r\n\r\n{{}}"
        ));
    }

    /// The loop has come back for the next event: it survived whatever was before.
    pub(super) async fn expect_next(&mut self) {
        assert_eq!(self.request().await.line, "GET /2018-06-01/runtime/invocation/next");
    }

    /// The loop's next request, which must be this one.
    pub(super) async fn expect_post(&mut self, path: &str) -> Exchange {
        let post = self.request().await;
        assert_eq!(post.line, format!("POST /2018-06-01/runtime/{path}"));
        post
    }
}

impl Exchange {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
    }

    pub(super) async fn piece(&mut self) -> Piece {
        soon("more of the body", self.body.recv()).await.expect("the body broke off")
    }

    pub(super) async fn chunk(&mut self) -> Vec<u8> {
        match self.piece().await {
            Piece::Chunk(bytes, _) => bytes,
            Piece::End(trailers) => panic!("the body ended with {trailers:?}"),
        }
    }

    /// The rest of the body must be just its end.
    pub(super) async fn trailers(&mut self) -> Vec<(String, String)> {
        match self.piece().await {
            Piece::End(trailers) => trailers,
            Piece::Chunk(bytes, _) => panic!("the body goes on with {:?}", String::from_utf8_lossy(&bytes)),
        }
    }

    pub(super) fn accept(self) {
        self.reply(ACCEPTED);
    }

    /// Accepts it, and closes the connection unannounced. Resolves when that is done.
    pub(super) fn accept_and_hang_up(self) -> oneshot::Receiver<()> {
        let (done, hung_up) = oneshot::channel();
        let response = ACCEPTED.to_owned();
        let _ = self.reply.send(Reply::SendAndHangUp(response, done));
        hung_up
    }

    pub(super) fn reply(self, response: &str) {
        let _ = self.reply.send(Reply::Send(response.to_owned()));
    }

    pub(super) fn hang_up(self) {
        let _ = self.reply.send(Reply::HangUp);
    }
}

/// One connection, request after request. A reply before the end of a body is the last thing on it.
async fn converse(
    connection: usize,
    stream: TcpStream,
    to_test: mpsc::UnboundedSender<Exchange>,
) -> Option<()> {
    let (read, mut write) = stream.into_split();
    let mut read = BufReader::new(read);
    loop {
        let line = line(&mut read).await?;
        let line = line.strip_suffix(" HTTP/1.1").expect("HTTP/1.1").to_owned();
        let headers = fields(&mut read).await?;
        let (to_body, body) = mpsc::unbounded_channel();
        let (reply, replied) = oneshot::channel();
        let chunked = headers.iter().any(|(name, value)| name == "transfer-encoding" && value == "chunked");
        let length = headers.iter().find(|(name, _)| name == "content-length");
        let length = length.map_or(0, |(_, value)| value.parse().expect("a length"));
        to_test.send(Exchange { line, connection, headers, body, reply }).ok()?;
        let mut replied = replied;
        let reply = tokio::select! {
            reply = &mut replied => {
                answer(&mut write, reply.ok()?).await;
                return None;
            }
            whole = receive(&mut read, chunked, length, to_body) => {
                whole?;
                replied.await.ok()?
            }
        };
        answer(&mut write, reply).await?;
    }
}

async fn answer(write: &mut OwnedWriteHalf, reply: Reply) -> Option<()> {
    match reply {
        Reply::Send(response) => write.write_all(response.as_bytes()).await.ok(),
        Reply::SendAndHangUp(response, done) => {
            write.write_all(response.as_bytes()).await.ok()?;
            write.shutdown().await.ok()?;
            done.send(()).ok()?;
            None
        }
        Reply::HangUp => None,
    }
}

async fn receive(
    read: &mut BufReader<OwnedReadHalf>,
    chunked: bool,
    length: usize,
    to_body: mpsc::UnboundedSender<Piece>,
) -> Option<()> {
    if !chunked {
        let mut bytes = vec![0; length];
        read.read_exact(&mut bytes).await.ok()?;
        return to_body.send(Piece::Chunk(bytes, Instant::now())).ok();
    }
    loop {
        let size = usize::from_str_radix(&line(read).await?, 16).expect("a chunk's size");
        if size == 0 {
            return to_body.send(Piece::End(fields(read).await?)).ok();
        }
        let mut bytes = vec![0; size + 2];
        read.read_exact(&mut bytes).await.ok()?;
        assert_eq!(bytes.split_off(size), b"\r\n");
        to_body.send(Piece::Chunk(bytes, Instant::now())).ok()?;
    }
}

/// Header or trailer fields up to the empty line, the names in small letters.
async fn fields(read: &mut BufReader<OwnedReadHalf>) -> Option<Vec<(String, String)>> {
    let mut fields = Vec::new();
    loop {
        let line = line(read).await?;
        if line.is_empty() {
            return Some(fields);
        }
        let (name, value) = line.split_once(':').expect("a field");
        fields.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
}

async fn line(read: &mut BufReader<OwnedReadHalf>) -> Option<String> {
    let mut line = String::new();
    let bytes = read.read_line(&mut line).await.ok()?;
    (bytes > 0).then(|| line.trim_end_matches("\r\n").to_owned())
}
