use super::*;

fn plan(flags: &[&str]) -> Result<Plan, Refusal> {
    let flags: Vec<_> = flags.iter().map(|flag| flag.as_bytes().to_vec()).collect();
    Plan::read(&flags)
}

/// The first connection.
fn read(flags: &[&str]) -> Result<Options, Refusal> {
    plan(flags).map(|plan| plan.initial)
}

#[test]
fn flags_fill_their_fields() {
    let options = read(&[
        "-port",
        "4433",
        "-shim-id",
        "18446744073709551615",
        "-ipv6",
        "-server",
        "-curves",
        "29",
        "-curves",
        "23",
        "-select-alpn",
        "foo",
        "-expect-advertised-alpn",
        "\u{3}foo\u{2}h2",
        "-ocsp-response",
        "AQID",
        "-use-client-ca-list",
        "3000,30020500",
        "-no-key-shares",
    ])
    .unwrap();
    assert_eq!((options.port, options.shim_id), (4433, u64::MAX));
    assert!(options.ipv6 && options.server && !options.piecemeal);
    assert_eq!(options.curves, [29, 23]);
    assert_eq!(options.select_alpn.as_deref(), Some(&b"foo"[..]));
    let offered = options.expect.advertised_alpn.unwrap();
    assert_eq!(offered, [&b"foo"[..], &b"h2"[..]]);
    assert_eq!(options.credential.ocsp.as_deref(), Some(&[1, 2, 3][..]));
    let names = [&[0x30, 0][..], &[0x30, 2, 5, 0][..]];
    assert_eq!(options.client_authorities, names);
    assert_eq!(options.key_shares, Some(vec![]));
    assert_eq!(read(&["-use-client-ca-list", "<EMPTY>"]), read(&[]));
}

#[test]
fn flags_of_a_credential_are_about_the_one_begun_last() {
    let options = read(&[
        "-key-file",
        "default",
        "-new-rpk-credential",
        "-key-file",
        "raw",
        "-new-x509-credential",
        "-cert-file",
        "chain",
        "-accepted-peer-cert-types",
        "2",
        "-accepted-peer-cert-types",
        "0",
    ])
    .unwrap();
    assert_eq!(options.credential.key, Some("default".into()));
    let raw = CredentialFiles {
        raw: true,
        key: Some("raw".into()),
        ..CredentialFiles::default()
    };
    let x509 = CredentialFiles {
        certificate: Some("chain".into()),
        ..CredentialFiles::default()
    };
    assert_eq!(options.more_credentials, [raw, x509]);
    let key = [
        "-new-psk-credential",
        "-psk-importer-key",
        "AQID",
        "-psk-importer-sha384",
    ];
    let psk = PskImport {
        key: vec![1, 2, 3],
        sha384: true,
        ..PskImport::default()
    };
    assert_eq!(read(&key).unwrap().more_credentials[0].psk, Some(psk));
    let alone = Err(Refusal::Unknown("-psk-importer-key".into()));
    assert_eq!(read(&key[1..]), alone);
    assert_eq!(options.accepted_types, [2, 0]);
}

#[test]
fn flags_for_one_process_or_connection_are_read_without_their_prefix() {
    let expected = read(&["-async"]).unwrap();
    assert_ne!(expected, read(&[]).unwrap());
    assert_eq!(read(&["-on-shim-async"]), Ok(expected.clone()));
    assert_eq!(read(&["-on-initial-async"]), Ok(expected.clone()));
    let on = |flag| {
        let Plan {
            initial,
            resumed,
            retry,
            ..
        } = plan(&[flag]).unwrap();
        [initial, resumed, retry].map(|options| options.piecemeal)
    };
    assert_eq!(on("-async"), [true; 3]);
    assert_eq!(on("-on-resume-async"), [false, true, false]);
    assert_eq!(on("-on-shim-on-resume-async"), [false, true, false]);
    assert_eq!(on("-on-retry-async"), [false, false, true]);
    // A value is read once, for whomever it is.
    let both = plan(&["-curves", "29", "-on-resume-curves", "23"]).unwrap();
    assert_eq!(both.initial.curves, [29]);
    assert_eq!(both.resumed.curves, [29, 23]);
    assert_eq!(both.retry.curves, [29]);
    // What is for another process means nothing here.
    assert_eq!(
        read(&["-on-handshaker-curves", "29", "-async"]),
        Ok(expected)
    );
}

#[test]
fn what_is_absent_is_told_from_what_is_unknown_and_what_is_wrong() {
    let absent = |flags: &[&str]| match read(flags) {
        Err(Refusal::Absent(feature)) => feature,
        other => panic!("{other:?}"),
    };
    assert_eq!(absent(&["-server", "-dtls"]), "DTLS");
    assert_eq!(absent(&["-on-resume-dtls"]), "DTLS");
    assert_eq!(absent(&["-resume-count", "1", "-on-resume-dtls"]), "DTLS");
    assert_eq!(absent(&["-jdk11-workaround"]), absent::JDK11);
    assert!(read(&["-jdk11-workaround", "-no-tls13"]).is_ok());
    let unknown = Err(Refusal::Unknown("-fly".into()));
    assert_eq!(read(&["-async", "-fly"]), unknown);
    assert!(plan(&["-on-resume-fly"]).is_err());
    for flags in [
        &["-port"][..],
        &["-port", "65536"],
        &["-shim-id", "-1"],
        &["-ocsp-response", "!"],
        &["-advertise-alpn", "\u{4}foo"],
        &["-expect-client-ca-list", "3"],
        &["-resume-count", "often"],
    ] {
        assert!(
            matches!(read(flags), Err(Refusal::Malformed(_))),
            "{flags:?}"
        );
    }
}

#[test]
fn versions_are_what_the_flags_leave_of_ours() {
    let versions = |flags: &[&str]| read(flags).unwrap().versions();
    let both = ProtocolVersions::TLS12 | ProtocolVersions::TLS13;
    assert_eq!(versions(&[]), Some(both));
    assert_eq!(versions(&["-no-tls13"]), Some(ProtocolVersions::TLS12));
    assert_eq!(
        versions(&["-min-version", "772"]),
        Some(ProtocolVersions::TLS13)
    );
    assert_eq!(
        versions(&["-max-version", "771"]),
        Some(ProtocolVersions::TLS12)
    );
    let old = ["-max-version", "770"];
    assert_eq!(read(&old), Err(Refusal::Absent(absent::OLD_VERSIONS)));
}
