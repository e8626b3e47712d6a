//! Refreshing in time that passes only when told.

use core::time::Duration;
use std::collections::HashMap;
use std::sync::Arc;

use sha2::{Digest, Sha256};
use waxwing_aws_lc::PROVIDER;
use waxwing_core::CertifiedKey;
use waxwing_crypto::KeyEncoding;
use waxwing_pki::UnixTime;
use waxwing_pki::revocation::StaplingKey;
use waxwing_pki::revocation::refresh::{
    FilterJob, Job, ListJob, News, Refresh, Request, StapleJob, Step,
};
use waxwing_testkit::revocation::{
    Authority, CrlSpec, CtLog, DAY, HOUR, Leaf, NOW, OcspSpec, OcspStatus, Responder, at, filter,
    ocsp_error,
};

use crate::world::{SERIAL, World};

const URL: &str = "http://ocsp.example/";

fn staples(world: &World) -> Refresh<StapleJob> {
    let job = StapleJob::new(&PROVIDER, URL, &world.leaf, &world.authority.certificate);
    Refresh::new(job.unwrap(), 1)
}

fn lists(world: &World) -> Refresh<ListJob> {
    let job = ListJob::new(&PROVIDER, URL, &world.authority.certificate);
    Refresh::new(job.unwrap(), 1)
}

/// The request that is due.
fn due<J: Job>(refresh: &mut Refresh<J>, now: UnixTime) -> Request {
    match refresh.poll(now) {
        Step::Needs(request) => request,
        other => panic!("{other:?}"),
    }
}

fn waits<J: Job>(refresh: &mut Refresh<J>, now: UnixTime) -> UnixTime {
    match refresh.poll(now) {
        Step::Wait(until) => until,
        other => panic!("{other:?}"),
    }
}

fn response(world: &World, spec: &OcspSpec) -> Vec<u8> {
    Responder::issuer(&world.authority).respond(&world.authority, &SERIAL, spec)
}

fn failure<V>(news: News<V>) -> String {
    match news {
        News::Failed(reason) => reason,
        _ => panic!("it was believed"),
    }
}

#[test]
fn a_staple_is_renewed_half_way_and_kept_while_the_responder_is_down() {
    let world = World::new();
    let mut refresh = staples(&world);
    let request = due(&mut refresh, NOW);
    assert_eq!(request.url, URL);
    let (kind, body) = request.body.clone().unwrap();
    assert_eq!(kind, "application/ocsp-request");
    assert!(body.ends_with(&SERIAL));
    // Asking again changes nothing.
    assert_eq!(due(&mut refresh, NOW), request);
    let first = response(&world, &OcspSpec::default());
    assert_eq!(
        refresh.answer(Ok(&first), NOW),
        News::Fresh(Arc::new(first.clone()))
    );
    // It ends in 24 hours.
    let half = waits(&mut refresh, NOW);
    assert!((at(10 * HOUR)..=at(12 * HOUR)).contains(&half), "{half}");

    let mut now = half;
    let mut failures = 0;
    loop {
        match refresh.poll(now) {
            Step::Needs(_) => {
                let reason = failure(refresh.answer(Err("connection refused"), now));
                assert_eq!(reason, "connection refused");
                failures += 1;
                assert_eq!(
                    refresh.value(now).map(|value| value.as_slice()),
                    Some(first.as_slice())
                );
            }
            Step::Wait(until) => {
                assert!(until > now && until <= at(DAY));
                now = until;
            }
            Step::Ended => break,
        }
    }
    // Every hour at most, and not in between either.
    assert!((15..40).contains(&failures), "{failures}");
    assert_eq!(now, at(DAY));
    assert_eq!(refresh.value(now), None);
    // Said once; it goes on asking.
    assert!(!matches!(refresh.poll(now), Step::Ended));
}

#[test]
fn only_good_and_right_responses_replace_another() {
    let world = World::new();
    let mut refresh = staples(&world);
    let first = response(&world, &OcspSpec::default());
    due(&mut refresh, NOW);
    refresh.answer(Ok(&first), NOW);
    let impostor = world.root.under("Authority");
    let bad = [
        response(
            &world,
            &OcspSpec {
                status: OcspStatus::Revoked,
                ..OcspSpec::default()
            },
        ),
        response(
            &world,
            &OcspSpec {
                status: OcspStatus::Unknown,
                ..OcspSpec::default()
            },
        ),
        response(
            &world,
            &OcspSpec {
                next_update: Some(HOUR),
                ..OcspSpec::default()
            },
        ),
        Responder::issuer(&impostor).respond(&impostor, &SERIAL, &OcspSpec::default()),
        ocsp_error(3),
        b"<html>not found".to_vec(),
        vec![0; (1 << 16) + 1],
    ];
    let mut now = NOW;
    for answer in bad {
        now = waits(&mut refresh, now);
        due(&mut refresh, now);
        let reason = failure(refresh.answer(Ok(&answer), now));
        assert!(!reason.is_empty());
        assert_eq!(refresh.value(now).unwrap().as_slice(), first);
    }
    // Nobody asked.
    failure(refresh.answer(Ok(&first), now));
    now = waits(&mut refresh, now);
    due(&mut refresh, now);
    let second = response(
        &world,
        &OcspSpec {
            next_update: Some(3 * DAY),
            ..OcspSpec::default()
        },
    );
    assert_eq!(
        refresh.answer(Ok(&second), now),
        News::Fresh(Arc::new(second.clone()))
    );
    assert_eq!(refresh.value(at(2 * DAY)).unwrap().as_slice(), second);
}

#[test]
fn lists_are_believed_if_the_issuer_signed_them_and_they_are_not_older() {
    let world = World::new();
    let mut refresh = lists(&world).at_least_every(Duration::from_secs(3600));
    assert_eq!(due(&mut refresh, NOW).body, None);
    let list = |authority: &Authority, from: i64, to: i64| {
        authority.crl(&CrlSpec {
            this_update: from,
            next_update: to,
            ..CrlSpec::default()
        })
    };
    let News::Fresh(first) = refresh.answer(Ok(&list(&world.authority, -HOUR, DAY)), NOW) else {
        panic!("the first is good");
    };
    assert_eq!(first.this_update(), at(-HOUR));
    let mut now = waits(&mut refresh, NOW);
    assert!(now <= at(HOUR), "{now}");
    for (bad, words) in [
        (list(&world.root, 0, DAY), "another name"),
        (list(&world.root.under("Authority"), 0, DAY), "did not sign"),
        (
            list(&world.authority, -2 * HOUR, DAY),
            "older than the one before",
        ),
        (list(&world.authority, 5 * DAY, 6 * DAY), "it is good from"),
        (list(&world.authority, -HOUR, 0), "ended"),
        (b"junk".to_vec(), "no revocation list"),
    ] {
        due(&mut refresh, now);
        let reason = failure(refresh.answer(Ok(&bad), now));
        assert!(reason.contains(words), "{reason}");
        assert!(Arc::ptr_eq(refresh.value(now).unwrap(), &first));
        now = waits(&mut refresh, now);
    }
}

/// What a web server would have.
type Files = HashMap<String, Vec<u8>>;

const BASE: &str = "https://filters.example/";

fn publish(made: UnixTime, filters: &[(&str, &[u8])]) -> Files {
    let entry = |(name, bytes): &(&str, &[u8])| {
        let hash = hex::encode(Sha256::digest(bytes));
        format!(r#"{{"filename":"{name}","size":1,"hash":"{hash}"}}"#)
    };
    let entries: Vec<_> = filters.iter().map(entry).collect();
    let manifest = format!(
        r#"{{"generated_at":{},"comment":"","files":[{}]}}"#,
        made.seconds(),
        entries.join(",")
    );
    let mut files = Files::from([(format!("{BASE}manifest.json"), manifest.into_bytes())]);
    for (name, bytes) in filters {
        files.insert(format!("{BASE}{name}"), bytes.to_vec());
    }
    files
}

/// One round against `files`: the names that were asked for, and whether it came to new filters.
fn round(refresh: &mut Refresh<FilterJob>, files: &Files, now: UnixTime) -> (Vec<String>, bool) {
    let mut asked = Vec::new();
    loop {
        let request = due(refresh, now);
        asked.push(request.url.strip_prefix(BASE).unwrap().to_owned());
        let answer = files.get(&request.url).map(Vec::as_slice);
        match refresh.answer(answer.ok_or("404"), now) {
            News::Underway => {}
            News::Fresh(_) => return (asked, true),
            News::Failed(_) => return (asked, false),
        }
    }
}

#[test]
fn filters_are_fetched_by_the_manifest_and_only_those_that_are_new() {
    let (world, log) = (World::new(), CtLog::new());
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
    let mut refresh = Refresh::new(FilterJob::new(BASE), 1);
    let mut files = publish(NOW, &[("full", &full)]);
    assert_eq!(
        round(&mut refresh, &files, NOW),
        (vec!["manifest.json".into(), "full".into()], true)
    );
    assert_eq!(refresh.value(NOW).unwrap().made(), NOW);

    let mut now = waits(&mut refresh, NOW);
    files = publish(now, &[("full", &full), ("later", &later)]);
    let good = files.insert(format!("{BASE}later"), full.clone()).unwrap();
    assert_eq!(
        round(&mut refresh, &files, now),
        (vec!["manifest.json".into(), "later".into()], false)
    );
    assert_eq!(refresh.value(now).unwrap().made(), NOW);

    now = waits(&mut refresh, now);
    files.insert(format!("{BASE}later"), good);
    assert_eq!(
        round(&mut refresh, &files, now),
        (vec!["manifest.json".into(), "later".into()], true)
    );
    assert!(refresh.value(now).unwrap().made() > NOW);

    now = waits(&mut refresh, now);
    files = publish(at(90 * DAY), &[("full", &full)]);
    assert_eq!(
        round(&mut refresh, &files, now),
        (vec!["manifest.json".into()], false)
    );
}

#[test]
fn a_servers_staple_is_replaced_while_it_runs() {
    let world = World::new();
    let (certificate, key) = world.authority.leaf(&Leaf::default());
    let key = PROVIDER.keys.load(KeyEncoding::Pkcs8, &key).unwrap();
    let key = StaplingKey::new(Arc::new(CertifiedKey::new(vec![certificate], key)));
    assert_eq!(key.current().ocsp(), None);
    let before = key.current();
    key.staple(Some(vec![1, 2]));
    assert_eq!(key.current().ocsp(), Some(&[1, 2][..]));
    assert_eq!(key.current().chain(), before.chain());
    assert!(Arc::ptr_eq(key.current().key(), before.key()));
    // Who has the old one goes on with it.
    assert_eq!(before.ocsp(), None);
    key.staple(None);
    assert_eq!(key.current().ocsp(), None);
}
