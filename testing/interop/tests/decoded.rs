//! Decoded certificates, compared with what Node says about them.

#![forbid(unsafe_code)]

use std::ffi::OsStr;
use std::fs;

use rcgen::string::{BmpString, Ia5String, PrintableString, TeletexString};
use rcgen::{
    CertificateParams, DistinguishedName, DnType, DnValue, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    SanType, SerialNumber, date_time_ymd,
};
use serde_json::{Map, Value, json};
use waxwing::pki::{self, AltName, KeyType, NamePart, PublicKeyKind, UnixTime};
use waxwing_interop::scripts::{NODE, script};
use waxwing_interop::{Identity, Listener, Process, Session, peer};

const KEYS: [KeyType; 5] = [
    KeyType::P256,
    KeyType::P384,
    KeyType::P521,
    KeyType::Ed25519,
    KeyType::Rsa2048,
];

/// The object identifier of `emailAddress`, which the library has no word for.
const EMAIL: &[u64] = &[1, 2, 840, 113_549, 1, 9, 1];

fn subjects() -> Vec<DistinguishedName> {
    let utf8 = |text: &str| DnValue::Utf8String(text.to_owned());
    let custom = |id: &[u64]| DnType::from_oid(id);
    let plain = |text: &str| DnValue::PrintableString(PrintableString::try_from(text).unwrap());
    let ia5 = |text: &str| DnValue::Ia5String(Ia5String::try_from(text).unwrap());
    let bmp = |text: &str| DnValue::BmpString(BmpString::try_from(text).unwrap());
    let teletex = |text: &str| DnValue::TeletexString(TeletexString::try_from(text).unwrap());
    let lists: [Vec<(DnType, DnValue)>; 10] = [
        vec![(DnType::CommonName, utf8("localhost"))],
        vec![
            (DnType::CountryName, plain("DE")),
            (DnType::StateOrProvinceName, utf8("Bayern")),
            (DnType::LocalityName, utf8("München")),
            (DnType::OrganizationName, utf8("Bücher & Söhne")),
            (DnType::OrganizationalUnitName, utf8("Abteilung 1, links")),
            (DnType::CommonName, utf8("例え")),
        ],
        vec![(
            DnType::CommonName,
            utf8("with \"quotes\", comma + plus = equals; <more> \\ #"),
        )],
        vec![
            (DnType::CommonName, utf8(" spaces ")),
            (custom(EMAIL), ia5("a@example.org")),
        ],
        vec![
            (DnType::CommonName, plain("Printable String")),
            (DnType::CountryName, plain("US")),
        ],
        vec![
            (DnType::OrganizationName, bmp("Größe")),
            (DnType::CommonName, bmp("x")),
        ],
        vec![(DnType::CommonName, teletex("Teletex"))],
        vec![
            (
                custom(&[0, 9, 2342, 19_200_300, 100, 1, 25]),
                ia5("example"),
            ),
            (custom(&[0, 9, 2342, 19_200_300, 100, 1, 1]), utf8("user")),
            (custom(&[2, 5, 4, 4]), utf8("Surname")),
            (custom(&[2, 5, 4, 42]), utf8("Given")),
            (custom(&[2, 5, 4, 5]), plain("12345")),
        ],
        vec![
            (custom(&[2, 5, 4, 9]), utf8("Street 1")),
            (custom(&[2, 5, 4, 12]), utf8("Dr.")),
            (custom(&[2, 5, 4, 15]), utf8("Private Organization")),
            (custom(&[2, 5, 4, 17]), utf8("12345")),
            (custom(&[2, 5, 4, 97]), utf8("VATDE-1")),
            (custom(&[1, 3, 6, 1, 4, 1, 311, 60, 2, 1, 3]), plain("DE")),
        ],
        vec![(DnType::CommonName, utf8(&"long ".repeat(60)))],
    ];
    let build = |list: Vec<(DnType, DnValue)>| {
        let mut name = DistinguishedName::new();
        for (kind, value) in list {
            name.push(kind, value);
        }
        name
    };
    lists.into_iter().map(build).collect()
}

fn alt_names(number: usize) -> Vec<SanType> {
    let dns = |text: &str| SanType::DnsName(text.try_into().unwrap());
    match number % 5 {
        0 => vec![],
        1 => vec![dns("localhost")],
        2 => vec![
            dns("*.example.org"),
            SanType::IpAddress("192.0.2.1".parse().unwrap()),
            SanType::IpAddress("2001:db8::ff:0".parse().unwrap()),
        ],
        3 => vec![
            SanType::Rfc822Name("a.b@example.org".try_into().unwrap()),
            SanType::URI("spiffe://example.org/x?y".try_into().unwrap()),
        ],
        _ => vec![
            dns("xn--bcher-kva.example"),
            SanType::IpAddress("::1".parse().unwrap()),
        ],
    }
}

/// Fifty certificates, all different.
fn certificates() -> Vec<Vec<u8>> {
    let keys = KEYS.map(|kind| KeyPair::try_from(kind.generate().unwrap().as_slice()).unwrap());
    let combinations = subjects()
        .into_iter()
        .flat_map(|subject| (0..KEYS.len()).map(move |key| (subject.clone(), key)));
    let make = |(number, (subject, key)): (usize, (DistinguishedName, usize))| {
        let mut params = CertificateParams::default();
        params.distinguished_name = subject;
        // Each subject meets other names with other keys.
        params.subject_alt_names = alt_names(number + number / KEYS.len());
        let serials: [&[u8]; 4] = [&[1], &[0, 0x80], &[0x0f, 0xff], &[0x7f; 20]];
        let serial = serials.get(number % 4).copied().unwrap_or_default();
        params.serial_number = Some(SerialNumber::from_slice(serial));
        // From 2050 on, dates have another form (RFC 5280, Section 4.1.2.5).
        let year = i32::try_from(number).unwrap();
        params.not_before = date_time_ymd(2000 + year, 1 + (number % 12) as u8, 9);
        params.not_after = date_time_ymd(2030 + year, 12, 31);
        params.is_ca = match number % 3 {
            0 => IsCa::NoCa,
            1 => IsCa::ExplicitNoCa,
            _ => IsCa::Ca(rcgen::BasicConstraints::Unconstrained),
        };
        params.extended_key_usages = match number % 4 {
            0 => vec![],
            1 => vec![ExtendedKeyUsagePurpose::ServerAuth],
            2 => vec![
                ExtendedKeyUsagePurpose::ServerAuth,
                ExtendedKeyUsagePurpose::ClientAuth,
            ],
            _ => vec![ExtendedKeyUsagePurpose::Other(vec![1, 2, 3, 4])],
        };
        params.self_signed(&keys[key]).unwrap().der().to_vec()
    };
    combinations.enumerate().map(make).collect()
}

/// `Jan  9 00:00:00 2026 GMT`, as OpenSSL prints dates.
fn date(time: UnixTime) -> String {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let text = time.to_string();
    let (day, rest) = text.split_once('T').unwrap();
    let mut parts = day.split('-');
    let (year, month, day) = (
        parts.next().unwrap(),
        parts.next().unwrap().parse::<usize>().unwrap(),
        parts.next().unwrap().trim_start_matches('0'),
    );
    let clock = rest.trim_end_matches('Z');
    format!("{} {day:>2} {clock} {year} GMT", MONTHS[month - 1])
}

fn colons(hexadecimal: &str) -> Value {
    let upper = hexadecimal.to_uppercase();
    let pairs: Vec<_> = upper
        .as_bytes()
        .chunks(2)
        .map(String::from_utf8_lossy)
        .collect();
    pairs.join(":").into()
}

fn name(parts: &[NamePart]) -> Value {
    let mut object = Map::new();
    for part in parts {
        object.insert(part.name.clone(), part.value.clone().into());
    }
    object.into()
}

fn alt_name(name: &AltName) -> String {
    match name {
        AltName::Dns(text) => format!("DNS:{text}"),
        AltName::Email(text) => format!("email:{text}"),
        AltName::Uri(text) => format!("URI:{text}"),
        AltName::Ip(std::net::IpAddr::V6(address)) => {
            let groups = address.segments().map(|group| format!("{group:X}"));
            format!("IP Address:{}", groups.join(":"))
        }
        AltName::Ip(address) => format!("IP Address:{address}"),
        other => panic!("{other:?}"),
    }
}

/// What Node should say about a certificate, from what we say.
fn as_node(identity: &pki::Identity) -> Map<String, Value> {
    let mut object = Map::new();
    let mut set = |name: &str, value: Value| object.insert(name.to_owned(), value);
    set("subject", name(&identity.subject_parts));
    set("issuer", name(&identity.issuer_parts));
    set("ca", identity.authority.into());
    set("valid_from", date(identity.not_before).into());
    set("valid_to", date(identity.not_after).into());
    set(
        "serialNumber",
        identity
            .serial
            .trim_start_matches("00")
            .to_uppercase()
            .into(),
    );
    set("fingerprint", colons(&identity.sha1));
    set("fingerprint256", colons(&identity.sha256));
    set("fingerprint512", colons(&identity.sha512));
    set("raw", hex::encode(&identity.der).into());
    if !identity.names.is_empty() {
        let names: Vec<_> = identity.names.iter().map(alt_name).collect();
        set("subjectaltname", names.join(", ").into());
    }
    if let Some(purposes) = &identity.extensions.purposes {
        let ids: Vec<_> = purposes.iter().map(|purpose| purpose.id.as_str()).collect();
        set("ext_key_usage", json!(ids));
    }
    let curve = match identity.key {
        PublicKeyKind::P256 => Some(("prime256v1", "P-256")),
        PublicKeyKind::P384 => Some(("secp384r1", "P-384")),
        PublicKeyKind::P521 => Some(("secp521r1", "P-521")),
        _ => None,
    };
    if let Some((asn1, nist)) = curve {
        set("asn1Curve", asn1.into());
        set("nistCurve", nist.into());
    }
    if matches!(identity.key, PublicKeyKind::Rsa(_)) {
        set("pubkey", hex::encode(&identity.spki).into());
    }
    if curve.is_some() || matches!(identity.key, PublicKeyKind::Rsa(_)) {
        set("bits", identity.key.bits().into());
    }
    object
}

/// Members that are the numbers inside a key, which is compared as a whole.
const INSIDE_KEYS: [&str; 2] = ["modulus", "exponent"];

#[test]
fn fifty_certificates_are_decoded_as_node_does() {
    peer!(NODE);
    let certificates = certificates();
    assert_eq!(certificates.len(), 50);
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("all.pem");
    let pem: String = certificates
        .iter()
        .map(|der| pki::to_pem("CERTIFICATE", der).to_string())
        .collect();
    fs::write(&file, pem).unwrap();
    let script = script("decode.cjs");
    let output = Process::run(NODE, [script.as_os_str(), file.as_os_str()]).succeed();
    let output = String::from_utf8(output).unwrap();
    let identities = pki::Identity::of_chain(&certificates).unwrap();
    assert_eq!(output.lines().count(), identities.len());
    for (line, identity) in output.lines().zip(&identities) {
        let mut theirs: Map<String, Value> = serde_json::from_str(line).unwrap();
        for member in INSIDE_KEYS {
            theirs.remove(member);
        }
        if identity.key.bits().is_some() && theirs.contains_key("nistCurve") {
            // Node has the point alone, which ends our key.
            let point = theirs.remove("pubkey").unwrap();
            assert!(hex::encode(&identity.spki).ends_with(point.as_str().unwrap()));
        }
        assert_eq!(as_node(identity), theirs, "{}", identity.subject);
    }
}

#[test]
fn node_sees_the_chain_that_we_decode() {
    peer!(NODE);
    let identity = Identity::new(KeyType::P256);
    let listener = Listener::bind().unwrap();
    let (script, port) = (script("chain.cjs"), listener.port().to_string());
    let arguments = [
        script.as_os_str(),
        OsStr::new(&port),
        OsStr::new(identity.anchor()),
    ];
    let mut peer = Process::run(NODE, arguments);
    let config = identity.server().build().unwrap();
    let tcp = listener.accept(&mut peer).unwrap();
    let _session = Session::accept(&config, tcp).unwrap();
    let output = String::from_utf8(peer.wait_for("end\n")).unwrap();
    let chain = pki::Identity::of_chain(identity.certified().chain()).unwrap();
    let root = pki::Identity::from_pem_or_der(&fs::read(identity.anchor()).unwrap()).unwrap();
    let all = chain.iter().chain(&root);
    let mut ours: Vec<_> = all.map(|one| hex::encode(&one.der)).collect();
    ours.push("end".to_owned());
    assert_eq!(output.lines().collect::<Vec<_>>(), ours);
}
