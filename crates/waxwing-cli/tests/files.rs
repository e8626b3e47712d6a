//! `waxwing serve DIR` and `waxwing get https://…`, the one against the other.

mod common;

use std::fs;

use common::{Server, assert_fails, assert_good, code, get, json, noise, stderr, stdout};

fn site() -> tempfile::TempDir {
    let outside = tempfile::tempdir().unwrap();
    let root = outside.path().join("root");
    fs::create_dir_all(root.join("sub")).unwrap();
    fs::create_dir_all(root.join("with index")).unwrap();
    fs::write(outside.path().join("secret"), "secret").unwrap();
    fs::write(root.join("a.txt"), "hello\n").unwrap();
    fs::write(root.join("sub/<b>.html"), "<p>b").unwrap();
    fs::write(root.join("with index/index.html"), "<p>index").unwrap();
    fs::write(root.join("big"), noise(5_000_001)).unwrap();
    outside
}

fn serve(site: &tempfile::TempDir) -> Server {
    Server::start(&[site.path().join("root").to_str().unwrap()])
}

#[test]
fn files_come_whole_over_either_http() {
    let site = site();
    let server = serve(&site);
    let big = server.url("big");
    for (option, version) in [("--http1.1", "HTTP/1.1"), ("--http2", "HTTP/2.0")] {
        let output = get(&[option, "-v", "--pin", server.pin(), &big]);
        assert_good(&output);
        assert!(stderr(&output).contains(&format!("< {version} 200 OK")));
        assert!(output.stdout == noise(5_000_001), "{version}");
    }
}

#[test]
fn a_file_appears_only_when_it_is_complete() {
    let site = site();
    let server = serve(&site);
    let path = site.path().join("copy");
    let path = path.to_str().unwrap();
    let output = get(&[
        "--json",
        "--ca",
        server.ca(),
        "-o",
        path,
        &server.url("big"),
    ]);
    assert_good(&output);
    assert!(fs::read(path).unwrap() == noise(5_000_001));
    let facts = json(&output);
    assert_eq!(facts["schema"], "waxwing.get/1");
    assert_eq!(facts["response"]["status"], 200);
    assert_eq!(facts["response"]["body_length"], 5_000_001);
    assert_eq!(facts["response"]["body_file"], path);
    assert_eq!(facts["connection"]["version"], "TLSv1.3");
    assert_eq!(facts["connection"]["group"], "X25519MLKEM768");
    assert_eq!(facts["connection"]["post_quantum"], true);
    assert_eq!(facts["connection"]["alpn"], "h2");
    assert_eq!(facts["connection"]["certificate"]["pin"], server.pin());
    assert!(facts["error"].is_null());

    let relay = common::cutting_relay(server.address(), 1_000_000);
    for http in ["--http1.1", "--http2"] {
        let cut = site.path().join("cut");
        let resolve = format!("localhost:{}", relay.ip());
        let url = format!("https://localhost:{}/big", relay.port());
        let output = get(&[
            http,
            "--resolve",
            &resolve,
            "--ca",
            server.ca(),
            "-o",
            cut.to_str().unwrap(),
            &url,
        ]);
        assert_fails(&output, 4, "localhost");
        let left = fs::read_dir(site.path()).unwrap();
        let names: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
        assert!(
            names
                .iter()
                .all(|name| !name.to_string_lossy().starts_with("cut")),
            "{names:?}"
        );
    }
}

#[test]
fn heads_folders_and_redirects() {
    let site = site();
    let server = serve(&site);
    let get = |args: &[&str], path: &str| {
        let url = server.url(path);
        let output = get(&[&["--ca", server.ca()], args, &[&url]].concat());
        assert_good(&output);
        stdout(&output).to_owned()
    };
    let head = get(&["-I"], "a.txt");
    assert!(head.starts_with("HTTP/2.0 200 OK\n") && head.contains("content-length: 6\n"));
    assert!(!head.contains("hello"));
    assert!(get(&[], "sub/").contains("href=\"./%3Cb%3E.html\">&lt;b&gt;.html<"));
    assert!(get(&["-i"], "with%20index").contains("location: /with%20index/\n"));
    assert_eq!(get(&["-L"], "with%20index"), "<p>index");
    assert_eq!(get(&["-H", "Range: bytes=1-2"], "a.txt"), "el");
    assert!(get(&["-i", "-X", "POST"], "a.txt").starts_with("HTTP/2.0 405 "));
}

#[test]
fn the_last_part_of_the_url_names_the_file() {
    let site = site();
    let server = serve(&site);
    let folder = tempfile::tempdir().unwrap();
    let run = |path: &str| {
        let args = ["-O", "--pin", server.pin(), &server.url(path)];
        let mut command = common::getting(&args);
        command.current_dir(folder.path()).output().unwrap()
    };
    assert_good(&run("a.txt?query"));
    let copy = fs::read_to_string(folder.path().join("a.txt"));
    assert_eq!(copy.unwrap(), "hello\n");
    assert_fails(&run("sub/"), 2, "--output");
}

#[test]
fn a_reader_who_has_had_enough_is_no_failure() {
    let site = site();
    let server = serve(&site);
    let mut client = common::getting(&["--pin", server.pin(), &server.url("big")])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(client.stdout.take());
    let output = client.wait_with_output().unwrap();
    assert_good(&output);
    assert_eq!(stderr(&output), "");
}

#[test]
fn an_error_status_is_a_verdict_only_if_asked_for() {
    let site = site();
    let server = serve(&site);
    let url = server.url("missing");
    let output = get(&["--pin", server.pin(), &url]);
    assert_good(&output);
    assert_eq!(stdout(&output), "404 Not Found\n");
    let output = get(&["--pin", server.pin(), "--fail", &url]);
    assert_fails(&output, 1, "404 Not Found");
    assert_eq!(stdout(&output), "");
}

#[test]
fn nothing_outside_of_the_folder_is_served() {
    let site = site();
    #[cfg(unix)]
    std::os::unix::fs::symlink("../secret", site.path().join("root/link")).unwrap();
    let server = serve(&site);
    for path in [
        "../secret",
        "%2e%2e/secret",
        "sub/../../secret",
        "..%2fsecret",
        "sub/%2e%2e/%2e%2e/secret",
        "link",
        "/etc/passwd",
        "//etc/passwd",
        "%2fetc%2fpasswd",
    ] {
        for http in ["--http1.1", "--http2"] {
            let output = get(&[http, "--json", "--ca", server.ca(), &server.url(path)]);
            assert_eq!(json(&output)["response"]["status"], 404, "{path}");
        }
    }
}

#[test]
fn failures_are_documents_too() {
    let output = get(&["--json", "http://localhost/"]);
    assert_eq!(code(&output), 2);
    let facts = json(&output);
    assert_eq!(facts["error"]["exit_code"], 2);
    assert_eq!(facts["error"]["kind"], "usage");
    assert!(facts["response"].is_null());
}
