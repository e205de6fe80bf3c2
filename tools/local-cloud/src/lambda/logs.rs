//! What the functions write: `CloudWatch` Logs, as far as a developer needs it.

use std::{
    collections::{HashMap, VecDeque},
    fs::{File, OpenOptions},
    io::Write,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard},
};

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};

const MAX_LINES: usize = 100_000;

#[derive(Default)]
pub(super) struct Logs {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    lines: VecDeque<(String, String)>,
    dir: Option<PathBuf>,
    files: HashMap<String, File>,
}

impl Logs {
    pub(super) fn append_to(&self, dir: PathBuf) {
        self.state().dir = Some(dir);
    }

    pub(super) fn push(&self, function: &str, line: String) {
        let state = &mut *self.state();
        if let Some(dir) = &state.dir
            && !state.files.contains_key(function)
            && let Ok(file) =
                OpenOptions::new().create(true).append(true).open(dir.join(format!("{function}.log")))
        {
            state.files.insert(function.to_owned(), file);
        }
        if let Some(file) = state.files.get_mut(function) {
            // A full disk must not stop the function.
            drop(writeln!(file, "{line}"));
        }
        if state.lines.len() == MAX_LINES {
            state.lines.pop_front();
        }
        state.lines.push_back((function.to_owned(), line));
    }

    pub(super) fn lines(&self) -> Vec<(String, String)> {
        self.state().lines.iter().cloned().collect()
    }

    /// Takes over a process's output, line by line, until it ends.
    pub(super) async fn collect(self: Arc<Self>, function: String, output: impl AsyncRead + Unpin) {
        let mut output = BufReader::new(output);
        let mut line = Vec::new();
        while output.read_until(b'\n', &mut line).await.is_ok_and(|length| length > 0) {
            self.push(&function, String::from_utf8_lossy(line.trim_ascii_end()).into_owned());
            line.clear();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nothing panics while it holds the logs")
    }
}
