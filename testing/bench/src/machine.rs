//! What the figures were taken on and with.

use std::fs;
use std::process::Command;
use std::thread;

/// The lock file that this program was built from; the libraries' versions are read out of it.
const LOCK: &str = include_str!("../Cargo.lock");

/// The machine, the compiler and the libraries, as titles and values.
pub(crate) fn describe() -> Vec<(&'static str, String)> {
    let cores = thread::available_parallelism().map_or(0, usize::from);
    vec![
        ("processor", format!("{}, {cores} cores", processor())),
        ("AVX-512, VAES, SHA-NI", features()),
        ("kernel", first_line("uname", "-r")),
        ("compiler", compiler()),
        ("callgrind", first_line("valgrind", "--version")),
        (
            "aws-lc-rs (Waxwing, rustls and the limit)",
            locked("aws-lc-rs"),
        ),
        ("rustls", locked("rustls")),
        ("crate boring-sys (BoringSSL)", locked("boring-sys")),
        ("OpenSSL", openssl::version::version().to_owned()),
        (
            "hyper, tokio-rustls",
            format!("{}, {}", locked("hyper"), locked("tokio-rustls")),
        ),
        ("nginx", first_line("nginx", "-v")),
    ]
}

/// The compiler that is installed, which is taken for the one that this program was built with.
pub(crate) fn compiler() -> String {
    first_line("rustc", "--version")
}

/// Whether a program is installed.
pub(crate) fn has(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok()
}

/// The load average of the last minute: what else the machine is doing.
pub(crate) fn load() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().unwrap_or_default().to_owned()
}

/// The value of the first line of /proc/cpuinfo that starts with `key`.
fn cpuinfo(key: &str) -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with(key));
    let value = line.and_then(|line| line.split_once(": "));
    value.map_or("unknown", |(_, value)| value).to_owned()
}

fn processor() -> String {
    let (family, model) = (cpuinfo("cpu family"), cpuinfo("model\t"));
    format!("{} (family {family}, model {model})", cpuinfo("model name"))
}

fn features() -> String {
    let flags = cpuinfo("flags");
    let has = |flag| {
        if flags.split(' ').any(|other| other == flag) {
            "yes"
        } else {
            "no"
        }
    };
    ["avx512f", "vaes", "sha_ni"].map(has).join(", ")
}

/// The version of a package in the lock file.
fn locked(package: &str) -> String {
    let entry = LOCK.split_once(&format!("name = \"{package}\"\nversion = \""));
    let version = entry.and_then(|(_, rest)| rest.split_once('"'));
    version.map_or("unknown", |(version, _)| version).to_owned()
}

fn first_line(program: &str, argument: &str) -> String {
    let output = Command::new(program).arg(argument).output();
    // nginx tells its version as an error.
    let text = output.map(|output| [output.stdout, output.stderr].concat());
    String::from_utf8_lossy(&text.unwrap_or_default())
        .lines()
        .next()
        .unwrap_or("unknown")
        .to_owned()
}
