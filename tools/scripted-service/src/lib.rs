//! A service on loopback that answers HTTP requests as scripted, one after the other, and keeps what it was asked.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

/// What a request gets.
#[derive(Debug, Clone)]
pub enum Answer {
    Status(u16, String),
    /// These bytes, as far as they are read.
    Bytes(Vec<u8>),
    /// Nothing; the connection stays open.
    Silence,
    /// Nothing; the connection is closed.
    Cut,
}

/// What was asked.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Method and path.
    pub line: String,
    /// In small letters but for their values.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// The service. It takes no request for which the script has no answer.
pub struct ScriptedService {
    pub url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl ScriptedService {
    pub async fn start(script: impl IntoIterator<Item = Answer>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let asked = Arc::<Mutex<Vec<Asked>>>::default();
        let script: Vec<_> = script.into_iter().collect();
        tokio::spawn(answer(listener, script, asked.clone()));
        Self { url, asked }
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Asked {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }
}

async fn answer(listener: TcpListener, script: Vec<Answer>, asked: Arc<Mutex<Vec<Asked>>>) {
    let mut silent = Vec::new();
    for answer in script {
        let (mut connection, _) = listener.accept().await.expect("a connection");
        let question = read(&mut connection).await;
        asked.lock().unwrap_or_else(PoisonError::into_inner).push(question);
        match answer {
            Answer::Status(status, body) => {
                let length = body.len();
                let answer = format!(
                    "HTTP/1.1 {status} As-Scripted\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
                );
                connection.write_all(answer.as_bytes()).await.expect("a reader");
            }
            Answer::Bytes(bytes) => {
                let _ = connection.write_all(&bytes).await;
            }
            Answer::Silence => silent.push(connection),
            Answer::Cut => {}
        }
    }
    std::future::pending::<()>().await;
}

async fn read(connection: &mut TcpStream) -> Asked {
    let mut bytes = Vec::new();
    loop {
        assert_ne!(connection.read_buf(&mut bytes).await.expect("a request"), 0, "the end in the middle");
        let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let mut lines = head.lines();
        let line = lines.next().expect("a request line").trim_end_matches(" HTTP/1.1").to_owned();
        let headers = lines.filter_map(|line| line.split_once(": "));
        let headers = headers.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect();
        let asked = Asked { line, headers, body: bytes[end + 4..].to_vec() };
        let length = asked.header("content-length").map_or(0, |length| length.parse().expect("a number"));
        if asked.body.len() >= length {
            return asked;
        }
    }
}
