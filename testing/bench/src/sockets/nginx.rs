//! nginx, as one process without a master, with files of the two sizes.

use std::fs;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use openssl::pkey::PKey;
use openssl::x509::X509;

use super::SIZES;
use crate::pki::Pki;

const PROGRAM: &str = "nginx";

/// The process and its port, or `None` if nginx is not installed.
pub(crate) fn start(pki: &Pki, dir: &Path) -> Option<(Child, u16)> {
    Command::new(PROGRAM)
        .arg("-v")
        .stderr(Stdio::null())
        .status()
        .ok()?;
    let dir = dir.join("nginx");
    write_files(pki, &dir);
    let port = free_port();
    fs::write(dir.join("nginx.conf"), configuration(port)).expect("the directory is writable");
    let mut process = Command::new(PROGRAM)
        .arg("-p")
        .arg(&dir)
        .args(["-c", "nginx.conf", "-e", "error.log"])
        .spawn()
        .expect("it is installed");
    while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
        let ended = process.try_wait().expect("it is a child");
        assert_eq!(ended, None, "nginx ended, see {}", dir.display());
        thread::sleep(Duration::from_millis(10));
    }
    Some((process, port))
}

/// Somebody else could take it in between; then nginx does not start.
fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("it is bound").port()
}

fn write_files(pki: &Pki, dir: &Path) {
    let pem = |der: &[u8]| X509::from_der(der).and_then(|cert| cert.to_pem());
    let chain = [&pki.leaf, &pki.intermediate].map(|der| pem(der).expect("a certificate"));
    let key = PKey::private_key_from_der(&pki.key).and_then(|key| key.private_key_to_pem_pkcs8());
    fs::create_dir_all(dir.join("www")).expect("the directory is writable");
    let write = |name: &str, bytes: &[u8]| {
        fs::write(dir.join(name), bytes).expect("the directory is writable");
    };
    write("chain.pem", &chain.concat());
    write("key.pem", &key.expect("a key"));
    for size in SIZES {
        write(&format!("www/{size}"), &vec![0x61; size]);
    }
}

/// The same as the hyper servers: TLS 1.3, one suite and group, no tickets, no log.
fn configuration(port: u16) -> String {
    format!(
        "daemon off;
master_process off;
pid nginx.pid;
error_log error.log crit;
events {{ worker_connections 512; }}
http {{
    access_log off;
    default_type application/octet-stream;
    open_file_cache max=8;
    keepalive_requests 1000000000;
    keepalive_time 1d;
    tcp_nodelay on;
    ssl_certificate chain.pem;
    ssl_certificate_key key.pem;
    ssl_protocols TLSv1.3;
    ssl_ecdh_curve X25519;
    ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256;
    ssl_session_tickets off;
    ssl_conf_command NumTickets 0;
    ssl_session_cache off;
    client_body_temp_path tmp; proxy_temp_path tmp; fastcgi_temp_path tmp;
    uwsgi_temp_path tmp; scgi_temp_path tmp;
    server {{
        listen 127.0.0.1:{port} ssl;
        root www;
    }}
}}
"
    )
}
