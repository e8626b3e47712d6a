//! Counts a server's system calls with strace.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};

/// The system calls of `process` while `work` runs, or `None` if strace is not installed or may not
/// look.
pub(crate) fn count(process: u32, work: impl FnOnce()) -> Option<f64> {
    let mut strace = Command::new("strace")
        .args(["-f", "-c", "-p", &process.to_string()])
        .stderr(Stdio::piped())
        .spawn()
        .ok()?;
    let mut output = BufReader::new(strace.stderr.take().expect("it is piped"));
    let mut line = String::new();
    output.read_line(&mut line).ok()?;
    if !line.contains("attached") {
        strace.wait().ok()?;
        return None;
    }
    work();
    // SAFETY: it is a child that has not been waited for; on this signal it lets go and reports.
    unsafe { libc::kill(strace.id().cast_signed(), libc::SIGINT) };
    let mut report = String::new();
    output.read_to_string(&mut report).ok()?;
    strace.wait().ok()?;
    total(&report)
}

/// The calls in the last line of the report: share, seconds, microseconds per call, calls.
fn total(report: &str) -> Option<f64> {
    let line = report.lines().rfind(|line| line.ends_with(" total"))?;
    line.split_whitespace().nth(3)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_total_is_found() {
        let report = "
% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 50.00    0.000100          10        10           read
------ ----------- ----------- --------- --------- ----------------
100.00    0.000200          10        20         3 total
";
        assert_eq!(total(report), Some(20.0));
    }
}
