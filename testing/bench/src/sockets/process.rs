//! The servers' processes.

use std::fs;
use std::io::{BufRead, BufReader};
use std::mem;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Duration;

use super::nginx;
use crate::pki::Pki;

/// A server that runs until this is dropped.
pub(crate) struct Server {
    process: Child,
    port: u16,
    /// The hyper servers end when it is closed.
    _input: Option<ChildStdin>,
}

impl Server {
    /// Starts the server called `name`, on the second processor if it is to be pinned; `None` if it is
    /// not installed.
    pub(crate) fn start(name: &str, pki: &Pki, dir: &Path, pinned: bool) -> Option<Self> {
        let server = match name {
            "nginx" => {
                let (process, port) = nginx::start(pki, dir)?;
                Self {
                    process,
                    port,
                    _input: None,
                }
            }
            _ => Self::start_hyper(name),
        };
        if pinned {
            pin(server.id(), 1);
        }
        Some(server)
    }

    fn start_hyper(name: &str) -> Self {
        let program = std::env::current_exe().expect("the path of this program");
        let mut process = Command::new(program)
            .args(["serve", name])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the child starts");
        let mut line = String::new();
        BufReader::new(process.stdout.take().expect("it is piped"))
            .read_line(&mut line)
            .expect("the child tells its port");
        Self {
            port: line.trim().parse().expect("a port"),
            _input: process.stdin.take(),
            process,
        }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// For how long its only thread has run on a processor.
    pub(crate) fn busy(&self) -> Duration {
        let path = format!("/proc/{}/schedstat", self.id());
        let text = fs::read_to_string(path).expect("the server runs");
        let ns = text.split(' ').next().and_then(|ns| ns.parse().ok());
        Duration::from_nanos(ns.expect("the first number is the time in ns"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself already.
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

/// Keeps this thread on the first processor until it is dropped.
pub(crate) struct Pinned(libc::cpu_set_t);

impl Pinned {
    pub(crate) fn new() -> Self {
        // SAFETY: zeros are an empty set, and the kernel fills it.
        let before = unsafe {
            let mut set: libc::cpu_set_t = mem::zeroed();
            libc::sched_getaffinity(0, size_of_val(&set), &raw mut set);
            set
        };
        pin(0, 0);
        Self(before)
    }
}

impl Drop for Pinned {
    fn drop(&mut self) {
        // SAFETY: the kernel only reads the set.
        unsafe { libc::sched_setaffinity(0, size_of_val(&self.0), &raw const self.0) };
    }
}

/// Keeps a process, or with 0 this thread, on one processor. Where that is not possible there is only
/// more noise.
fn pin(process: u32, processor: usize) {
    // SAFETY: the set is made of zeros, and the kernel only reads it.
    unsafe {
        let mut set: libc::cpu_set_t = mem::zeroed();
        libc::CPU_SET(processor, &mut set);
        libc::sched_setaffinity(process.cast_signed(), size_of_val(&set), &raw const set);
    }
}
