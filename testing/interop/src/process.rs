//! Another program, under control.

use std::ffi::OsStr;
use std::io::{Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use crate::net::{PATIENCE, POLL};

/// A running peer. Everything it prints is kept; it is killed when this is dropped.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    input: Option<Sender<Vec<u8>>>,
    output: Arc<Capture>,
    errors: Arc<Capture>,
    deadline: Instant,
}

impl Process {
    /// Starts `command`. It has [`PATIENCE`] for its whole life.
    ///
    /// # Panics
    /// If it cannot be started.
    #[must_use]
    pub fn start(command: &mut Command) -> Self {
        let name = command.get_program().to_string_lossy().into_owned();
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {name}: {error}"));
        let output = Capture::of(child.stdout.take().expect("a pipe"));
        let errors = Capture::of(child.stderr.take().expect("a pipe"));
        let mut stdin = child.stdin.take().expect("a pipe");
        let (input, queue) = channel::<Vec<u8>>();
        thread::spawn(move || {
            for bytes in queue {
                // A peer that has gone reads nothing; that shows elsewhere.
                if stdin.write_all(&bytes).is_err() {
                    return;
                }
            }
        });
        Self {
            name,
            child,
            input: Some(input),
            output,
            errors,
            deadline: Instant::now() + PATIENCE,
        }
    }

    /// Starts `program` with `arguments`.
    ///
    /// # Panics
    /// If it cannot be started.
    #[must_use]
    pub fn run<A: AsRef<OsStr>>(
        program: impl AsRef<OsStr>,
        arguments: impl IntoIterator<Item = A>,
    ) -> Self {
        Self::start(Command::new(program).args(arguments))
    }

    /// Sends `bytes` to its standard input, which stays open. Does not wait.
    ///
    /// # Panics
    /// After [`Self::end_input`].
    pub fn send(&self, bytes: impl Into<Vec<u8>>) {
        let input = self.input.as_ref().expect("the input is still open");
        // The writing thread has gone only if the peer has.
        let _ = input.send(bytes.into());
    }

    /// Closes its standard input.
    pub fn end_input(&mut self) {
        self.input = None;
    }

    /// Waits until what it printed on either output contains `text`; returns the standard
    /// output so far.
    ///
    /// # Panics
    /// If it ends or the time is over before that.
    pub fn wait_for(&mut self, text: &str) -> Vec<u8> {
        self.wait_until(text, |output, errors| {
            contains(output, text.as_bytes()) || contains(errors, text.as_bytes())
        })
    }

    /// Waits until `done` likes what is on the standard output and the standard error; returns
    /// the former. `what` is for the message.
    ///
    /// # Panics
    /// If it ends or the time is over before that.
    pub fn wait_until(&mut self, what: &str, done: impl Fn(&[u8], &[u8]) -> bool) -> Vec<u8> {
        loop {
            // Asked first: what it printed before its end is looked at once more.
            let over = Instant::now() >= self.deadline
                || (self.output.is_closed() && self.errors.is_closed());
            let output = self.output.bytes();
            if done(&output, &self.errors.bytes()) {
                return output;
            }
            assert!(
                !over,
                "{} never came to: {what}\n{}",
                self.name,
                self.report()
            );
            self.output.wait_for_more(output.len());
        }
    }

    /// Waits for its end; returns its status and its standard output.
    ///
    /// # Panics
    /// If the time is over before that.
    pub fn finish(&mut self) -> (ExitStatus, Vec<u8>) {
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("a child") {
                break status;
            }
            assert!(
                Instant::now() < self.deadline,
                "{} did not end\n{}",
                self.name,
                self.report()
            );
            thread::sleep(POLL);
        };
        while !(self.output.is_closed() && self.errors.is_closed())
            && Instant::now() < self.deadline
        {
            thread::sleep(POLL);
        }
        (status, self.output.bytes())
    }

    /// Waits for its end, which has to be a success; returns its standard output.
    ///
    /// # Panics
    /// If it fails, or the time is over before its end.
    pub fn succeed(&mut self) -> Vec<u8> {
        let (status, output) = self.finish();
        assert!(
            status.success(),
            "{} {status}\n{}",
            self.name,
            self.report()
        );
        output
    }

    /// Whether it has ended.
    ///
    /// # Panics
    /// If the system does not know it.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().expect("a child").is_some()
    }

    /// Kills it: its sockets are closed by the system, without a word of TLS.
    pub fn kill(&mut self) {
        // Fails only if it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// What it printed, for messages.
    #[must_use]
    pub fn report(&self) -> String {
        format!(
            "--- {} standard output\n{}--- standard error\n{}---",
            self.name,
            excerpt(&self.output.bytes()),
            excerpt(&self.errors.bytes())
        )
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
        if thread::panicking() {
            eprintln!("{}", self.report());
        }
    }
}

/// Whether `needle` occurs in `bytes`.
#[must_use]
pub fn contains(bytes: &[u8], needle: &[u8]) -> bool {
    bytes.windows(needle.len()).any(|window| window == needle)
}

/// How often `needle` occurs in `bytes`.
#[must_use]
pub fn count(bytes: &[u8], needle: &str) -> usize {
    let needle = needle.as_bytes();
    let windows = bytes.windows(needle.len());
    windows.filter(|window| *window == needle).count()
}

/// The end of what was printed, which is where the reason stands.
fn excerpt(bytes: &[u8]) -> String {
    const LIMIT: usize = 4000;
    let rest = &bytes[bytes.len().saturating_sub(LIMIT)..];
    let mut text = String::from_utf8_lossy(rest).into_owned();
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text
}

/// What came through a pipe so far.
#[derive(Debug, Default)]
struct Capture {
    state: Mutex<Captured>,
    more: Condvar,
}

#[derive(Debug, Default)]
struct Captured {
    bytes: Vec<u8>,
    closed: bool,
}

impl Capture {
    fn of(mut pipe: impl Read + Send + 'static) -> Arc<Self> {
        let capture = Arc::new(Self::default());
        let filling = Arc::clone(&capture);
        thread::spawn(move || {
            let mut buffer = [0; 16 * 1024];
            loop {
                // An error of a pipe is its end.
                let count = pipe.read(&mut buffer).unwrap_or(0);
                let mut state = filling.state.lock().unwrap_or_else(PoisonError::into_inner);
                state.bytes.extend_from_slice(&buffer[..count]);
                state.closed = count == 0;
                filling.more.notify_all();
                if count == 0 {
                    return;
                }
            }
        });
        capture
    }

    fn bytes(&self) -> Vec<u8> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.bytes.clone()
    }

    fn is_closed(&self) -> bool {
        self.state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .closed
    }

    /// Waits a moment, or until there are more than `known` bytes.
    fn wait_for_more(&self, known: usize) {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.bytes.len() <= known {
            // Waking up without news does no harm: the caller looks again.
            drop(self.more.wait_timeout(state, 4 * POLL));
        }
    }
}
