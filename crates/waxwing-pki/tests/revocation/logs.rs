//! Timestamps of logs, in all three places where they come.

use waxwing_aws_lc::PROVIDER;
use waxwing_pki::Code;
use waxwing_pki::revocation::{
    Decision, Evidence, LogList, RevocationPolicy, SctPlace, SctProblem, Transparency,
};
use waxwing_testkit::revocation::{CtLog, DAY, HOUR, Leaf, NOW, OcspSpec, Responder, at, sct_list};

use crate::world::{SERIAL, World};

#[test]
fn logs_vouch_in_the_certificate_the_staple_and_the_handshake() {
    let logs = [CtLog::new(), CtLog::new(), CtLog::new(), CtLog::new()];
    let [first, second, third, stranger] = &logs;
    let world = World::with(&Leaf {
        logs: vec![(first, at(-DAY)), (stranger, at(-DAY))],
        ..Leaf::default()
    });
    let list = LogList::new()
        .with(&first.spki, "One")
        .and_then(|list| list.with(&second.spki, "Two"))
        .and_then(|list| list.with_retired(&third.spki, "Two", at(-DAY)))
        .unwrap();
    assert_eq!(list.len(), 3);
    let policy = |logs, operators| {
        let transparency = Transparency::new(&PROVIDER, list.clone()).at_least(logs, operators);
        RevocationPolicy::new(&PROVIDER).transparency(transparency)
    };
    let alone = world.judge(&policy(1, 1), &Evidence::default());
    let report = alone.transparency.unwrap();
    assert!(report.is_enough(), "{report:?}");
    assert_eq!(report.findings[1].problem, Some(SctProblem::UnknownLog));

    let in_staple = sct_list(&[second.stamp(&world.leaf, at(-HOUR))]);
    let staple = Responder::issuer(&world.authority).respond(
        &world.authority,
        &SERIAL,
        &OcspSpec {
            scts: Some(in_staple),
            ..OcspSpec::default()
        },
    );
    let in_handshake = sct_list(&[third.stamp(&world.leaf, at(-2 * DAY)), b"junk".to_vec()]);
    let evidence = Evidence::of_server(Some(&staple), Some(&in_handshake));
    let all = world.judge(&policy(3, 2), &evidence);
    assert_eq!(all.decision, Decision::Good, "{all}");
    let report = all.transparency.unwrap();
    assert_eq!((report.logs(), report.operators()), (3, 2));
    let places: Vec<_> = report.findings.iter().map(|one| one.place).collect();
    assert_eq!(
        places,
        [
            SctPlace::Certificate,
            SctPlace::Certificate,
            SctPlace::Staple,
            SctPlace::Handshake,
            SctPlace::Handshake
        ]
    );
    let too_few = world.judge(&policy(3, 3), &evidence);
    assert_eq!(too_few.decision, Decision::NotLogged);
    assert_eq!(too_few.code(), Some(Code::NotLogged));
    assert!(too_few.to_string().contains("3 logs of 2 operators"));
}

#[test]
fn timestamps_that_do_not_count_say_why() {
    let log = CtLog::new();
    let world = World::new();
    let (other, _) = world.authority.leaf(&Leaf {
        serial: vec![9],
        ..Leaf::default()
    });
    let logs = LogList::new()
        .with_retired(&log.spki, "One", at(-HOUR))
        .unwrap();
    let transparency = Transparency::new(&PROVIDER, logs).at_least(1, 1);
    let policy = RevocationPolicy::new(&PROVIDER).transparency(transparency);
    let mut of_other_version = log.stamp(&world.leaf, at(-DAY));
    of_other_version[0] = 1;
    let mut forged = log.stamp(&world.leaf, at(-DAY));
    *forged.last_mut().unwrap() ^= 1;
    let cases = [
        (log.stamp(&world.leaf, at(-DAY)), None),
        (
            log.stamp(&world.leaf, at(DAY)),
            Some(SctProblem::Future(at(DAY))),
        ),
        (
            log.stamp(&world.leaf, at(0)),
            Some(SctProblem::Retired(NOW)),
        ),
        (log.stamp(&other, at(-DAY)), Some(SctProblem::BadSignature)),
        (forged, Some(SctProblem::BadSignature)),
        (of_other_version, Some(SctProblem::Malformed)),
    ];
    for (sct, problem) in cases {
        let list = sct_list(&[sct]);
        let outcome = world.judge(&policy, &Evidence::of_server(None, Some(&list)));
        let report = outcome.transparency.as_ref().unwrap();
        assert_eq!(report.findings[0].problem, problem);
        assert_eq!(outcome.is_accepted(), problem.is_none());
    }
}
