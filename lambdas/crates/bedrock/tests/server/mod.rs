//! An HTTP server that always says the same.

use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
};

pub struct Server {
    address: std::net::SocketAddr,
    requests: Arc<Mutex<Vec<Request>>>,
}

#[derive(Clone)]
pub struct Response {
    head: String,
    body: Vec<u8>,
    /// In chunks of so many bytes.
    chunk: usize,
}

#[derive(Clone)]
pub struct Request {
    pub line: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Response {
    pub fn ok(body: Vec<u8>, chunk: usize) -> Self {
        Self { head: head("200 OK", "content-type: application/vnd.amazon.eventstream"), body, chunk }
    }

    pub fn error(status: u16, name: &str) -> Self {
        let head = head(&format!("{status} X"), &format!("x-amzn-errortype: {name}:http://a.example/"));
        Self { head, body: br#"{"message":"No."}"#.to_vec(), chunk: 100 }
    }
}

fn head(status: &str, header: &str) -> String {
    format!("HTTP/1.1 {status}\r\n{header}\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n")
}

impl Server {
    pub async fn saying(response: Response) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::<Mutex<Vec<_>>>::default();
        let heard = requests.clone();
        // Ends with the test's runtime.
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let request = answer(stream, &response).await;
                heard.lock().unwrap().push(request);
            }
        });
        Self { address, requests }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

async fn answer(stream: TcpStream, response: &Response) -> Request {
    let mut stream = BufReader::new(stream);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.unwrap();
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let header = |line: &String| {
        let (name, value) = line.split_once(':').unwrap();
        (name.to_ascii_lowercase(), value.trim().to_owned())
    };
    let mut request = Request {
        line: lines[0].clone(),
        headers: lines[1..].iter().map(header).collect(),
        body: Vec::new(),
    };
    let len = request.header("content-length").map_or(0, |len| len.parse().unwrap());
    request.body.resize(len, 0);
    stream.read_exact(&mut request.body).await.unwrap();

    let mut bytes = response.head.clone().into_bytes();
    for chunk in response.body.chunks(response.chunk) {
        bytes.extend(format!("{:x}\r\n", chunk.len()).bytes().chain(chunk.iter().copied()).chain(*b"\r\n"));
    }
    bytes.extend(b"0\r\n\r\n");
    // Whoever has heard enough may be gone.
    let _ = stream.write_all(&bytes).await;
    let _ = stream.shutdown().await;
    request
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}
