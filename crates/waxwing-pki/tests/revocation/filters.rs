//! CRLite filters out of files.

use std::sync::Arc;

use sha2::{Digest, Sha256};
use waxwing_aws_lc::PROVIDER;
use waxwing_pki::revocation::crlite::{Filter, FilterError, FilterSet, Filters, Manifest};
use waxwing_pki::revocation::{Decision, Evidence, Mode, RevocationPolicy};
use waxwing_testkit::revocation::{CtLog, DAY, HOUR, Leaf, NOW, at, filter};

use crate::world::{SERIAL, World, good};

#[test]
fn filters_are_read_from_the_folder_of_upki_and_later_ones_add_to_earlier() {
    let log = CtLog::new();
    let world = World::with(&Leaf {
        logs: vec![(&log, at(-HOUR))],
        ..Leaf::default()
    });
    let times = (at(-DAY), at(DAY));
    let full = filter(
        &world.authority.certificate,
        log.id(),
        times,
        &[(&SERIAL, false)],
    );
    let later = filter(
        &world.authority.certificate,
        log.id(),
        times,
        &[(&SERIAL, true)],
    );
    let folder = tempfile::tempdir().unwrap();
    let manifest = |files: &[(&str, &[u8])]| {
        let files: Vec<_> = files
            .iter()
            .map(|(name, bytes)| {
                std::fs::write(folder.path().join(name), bytes).unwrap();
                let hash = hex::encode(Sha256::digest(bytes));
                format!(
                    r#"{{"filename":"{name}","size":{},"hash":"{hash}"}}"#,
                    bytes.len()
                )
            })
            .collect();
        let json = format!(
            r#"{{"generated_at":{},"comment":"","files":[{}]}}"#,
            NOW.seconds(),
            files.join(",")
        );
        std::fs::write(folder.path().join("manifest.json"), json).unwrap();
    };
    let filters = || Filters::from_folder(folder.path());
    manifest(&[("full.filter", &full)]);
    let set = Arc::new(FilterSet::new(filters().unwrap()));
    let policy = RevocationPolicy::new(&PROVIDER).filters(Arc::clone(&set), Mode::Hard);
    let outcome = world.judge(&policy, &Evidence::default());
    assert_eq!(outcome.decision, Decision::Good);
    assert_eq!(outcome.winner.unwrap().status, good(240));

    manifest(&[("full.filter", &full), ("later.filter", &later)]);
    set.replace(filters().unwrap());
    let outcome = world.judge(&policy, &Evidence::default());
    assert_eq!(outcome.decision, Decision::Revoked);

    std::fs::write(folder.path().join("later.filter"), &full).unwrap();
    assert_eq!(
        filters().unwrap_err(),
        FilterError::OtherHash("later.filter".into())
    );
    std::fs::remove_file(folder.path().join("later.filter")).unwrap();
    assert!(matches!(filters(), Err(FilterError::Unreadable(_))));
    let path = folder.path().join("full.filter");
    let made = Filters::from_files([path]).unwrap().made();
    assert_eq!(made, at(DAY), "the newest time that it covers");
    assert!(Filter::from_bytes(b"\x04\x00no").is_err());
}

#[test]
fn a_filter_whose_index_leads_out_of_it_is_refused() {
    let world = World::new();
    let times = (at(-DAY), at(DAY));
    let issuer = &world.authority.certificate;
    let mut bytes = filter(issuer, CtLog::new().id(), times, &[(&SERIAL, true)]);
    assert!(Filter::from_bytes(&bytes).is_ok());
    // Version, one log with its times, one block with its name and the size of its matrix; then
    // the number of columns that the matrix has.
    let columns = 2 + (2 + 32 + 8 + 8) + (4 + 32 + 4);
    assert!(bytes[columns] < 10, "{}", bytes[columns]);
    bytes[columns] += 1;
    let Err(FilterError::Malformed(reason)) = Filter::from_bytes(&bytes) else {
        panic!("a look-up would panic");
    };
    assert!(reason.contains("leads out of it"), "{reason}");
}

#[test]
fn manifests_cannot_name_files_elsewhere() {
    for name in [
        "../x",
        "/etc/passwd",
        "a/b",
        "",
        ".hidden",
        "a b",
        "a?b",
        "a%2fb",
    ] {
        let json = format!(
            r#"{{"generated_at":1,"comment":"","files":[{{"filename":"{name}","size":1,"hash":""}}]}}"#
        );
        let refused = Manifest::from_json(json.as_bytes());
        assert!(
            matches!(refused, Err(FilterError::BadManifest(_))),
            "{name:?}"
        );
    }
}
