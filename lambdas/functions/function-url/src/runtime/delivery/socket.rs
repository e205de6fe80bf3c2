//! The other end of an answer's connection.

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::Arc,
};

use super::{Connection, Delivery};

pub(crate) struct Socket(TcpStream);

/// An answer that nobody writes any more.
pub(crate) struct Sent {
    pub(crate) body: String,
    /// Why it was broken off.
    pub(crate) error_type: Option<String>,
}

impl Socket {
    pub(crate) async fn open() -> (Arc<Delivery>, Self) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let connection = Connection::open(&listener.local_addr().unwrap().to_string()).await.unwrap();
        let socket = Self(listener.accept().unwrap().0);
        (Arc::new(Delivery::new(connection.into(), "one".to_owned())), socket)
    }

    pub(crate) fn say(&mut self, response: &str) {
        self.0.write_all(response.as_bytes()).unwrap();
    }

    /// All of it, once it is dropped. It must be small enough to wait in the socket.
    pub(crate) fn read(mut self) -> Sent {
        let mut sent = String::new();
        self.0.read_to_string(&mut sent).unwrap();
        let (_, mut rest) = sent.split_once("\r\n\r\n").expect("the head's end");
        let mut chunks = Vec::new();
        while let Some((size, tail)) = rest.split_once("\r\n") {
            let size = usize::from_str_radix(size, 16).expect("a chunk's size");
            if size == 0 {
                rest = tail;
                break;
            }
            chunks.push(&tail[..size]);
            rest = tail[size..].strip_prefix("\r\n").expect("a chunk's end");
        }
        let error_type = rest.strip_prefix("lambda-runtime-function-error-type: ");
        Sent {
            // The first is the prelude.
            body: chunks[1..].concat(),
            error_type: error_type.map(|rest| rest.lines().next().unwrap_or_default().to_owned()),
        }
    }
}
