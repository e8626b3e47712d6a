//! CRLite filters, fetched over HTTPS by `waxwing get` from `waxwing serve`.

mod common;

use std::fs;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::channel;

use common::{Server, getting, stderr};
use sha2::{Digest, Sha256};
use waxwing::PROVIDER;
use waxwing::pki::UnixTime;
use waxwing::pki::revocation::crlite::{FilterSet, Filters};
use waxwing::pki::revocation::refresh::{FilterJob, Refresh, Request};
use waxwing::pki::revocation::{Decision, Evidence, Mode, RevocationPolicy, Source, VerifiedChain};
use waxwing::refresh::{Refresher, Update};
use waxwing_testkit::revocation::{Authority, CtLog, DAY, HOUR, Leaf, at, filter};

const SERIAL: [u8; 2] = [7, 7];

/// What the program prints on stdout, if all went well.
fn fetch(request: &Request, ca: &str) -> io::Result<Vec<u8>> {
    let output = getting(&["--fail", "--ca-only", "--ca", ca, &request.url]).output()?;
    if !output.status.success() {
        return Err(io::Error::other(stderr(&output).to_owned()));
    }
    Ok(output.stdout)
}

#[test]
fn filters_come_over_our_own_https_and_are_asked() {
    let (root, log) = (Authority::root("Root"), CtLog::new());
    let (leaf, _) = root.leaf(&Leaf {
        serial: SERIAL.to_vec(),
        logs: vec![(&log, at(-HOUR))],
        ..Leaf::default()
    });
    let times = (at(-DAY), at(DAY));
    let bytes = filter(&root.certificate, log.id(), times, &[(&SERIAL, true)]);
    let now = UnixTime::now().unwrap();
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("full.filter"), &bytes).unwrap();
    let manifest = serde_json::json!({
        "generated_at": now.seconds(),
        "comment": "",
        "files": [{
            "filename": "full.filter",
            "size": bytes.len(),
            "hash": hex::encode(Sha256::digest(&bytes)),
        }],
    });
    fs::write(folder.path().join("manifest.json"), manifest.to_string()).unwrap();
    let server = Server::start(&[folder.path().to_str().unwrap()]);

    let next = |ca: &str| {
        let ca = ca.to_owned();
        let (sender, updates) = channel();
        let refresh = Refresh::new(FilterJob::new(server.url("/")), 1);
        let send = move |update: Update<Filters>| {
            // Nobody listens any more after the first.
            let _ = sender.send(update);
        };
        let _refresher = Refresher::spawn(refresh, move |request| fetch(request, &ca), send);
        updates.recv().unwrap()
    };
    let Update::Fresh(filters) = next(server.ca()) else {
        panic!("the server has them");
    };
    assert_eq!(filters.made(), now);
    let filters = Arc::new(FilterSet::new(filters));
    let policy = RevocationPolicy::new(&PROVIDER).filters(filters, Mode::Hard);
    let chain = [leaf.as_slice(), &root.certificate];
    let chain = VerifiedChain::in_order(&chain).unwrap();
    let outcome = policy.check(&chain, &Evidence::default(), now);
    assert_eq!(outcome.decision, Decision::Revoked);
    assert_eq!(outcome.winner.unwrap().source, Source::Crlite);

    // From a server that is not trusted come none.
    let stranger = Server::start(&["--echo"]);
    let Update::Failed(reason) = next(stranger.ca()) else {
        panic!("nobody vouches for the server");
    };
    assert!(reason.contains("DEPTH_ZERO_SELF_SIGNED_CERT"), "{reason}");
}
