//! What people get wrong with certificates, one mistake at a time, and what it is called.

use std::sync::LazyLock;

use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, CustomExtension, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    NameConstraints, PKCS_ECDSA_P256_SHA256, SanType, SerialNumber, date_time_ymd,
};

/// A chain with one mistake.
#[derive(Clone, Debug)]
pub struct Mistake {
    /// What is wrong, in a few words.
    pub what: &'static str,
    /// What the server sends, in DER, its own certificate first.
    pub chain: Vec<Vec<u8>>,
    /// Whom the client trusts, in DER.
    pub anchor: Vec<u8>,
    /// Whom the client asked for.
    pub host: &'static str,
    /// The code of `waxwing-pki`.
    pub code: &'static str,
    /// A part of what would help.
    pub hint: &'static str,
    /// What `openssl verify -purpose sslserver` finds, if it is to be asked: the number of
    /// `X509_V_ERR_…`.
    pub openssl: Option<u8>,
}

/// The name of every server here.
pub const HOST: &str = "a.example";

/// The private key of every leaf, in PKCS#8 DER.
#[must_use]
pub fn leaf_key() -> &'static [u8] {
    static KEY: LazyLock<Vec<u8>> = LazyLock::new(|| key().serialize_der());
    &KEY
}

/// One certificate on its way.
struct Draft {
    params: CertificateParams,
    key: KeyPair,
}

type Edit = fn(&mut CertificateParams);

fn nothing(_: &mut CertificateParams) {}

fn key() -> KeyPair {
    KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).expect("a key")
}

fn draft(common_name: &str, names: &[&str], edit: Edit) -> Draft {
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    let mut params = CertificateParams::new(names).expect("good names");
    params.distinguished_name = DistinguishedName::new();
    params
        .distinguished_name
        .push(DnType::CommonName, common_name);
    params.use_authority_key_identifier_extension = true;
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2100, 1, 1);
    edit(&mut params);
    Draft { params, key: key() }
}

fn authority(common_name: &str, edit: Edit) -> Draft {
    let mut draft = draft(common_name, &[], nothing);
    draft.params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    draft.params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    edit(&mut draft.params);
    draft
}

fn leaf(edit: Edit) -> Draft {
    let mut draft = draft(HOST, &[HOST], nothing);
    draft.key = KeyPair::try_from(leaf_key()).expect("our own key");
    draft.params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    draft.params.extended_key_usages = vec![
        ExtendedKeyUsagePurpose::ServerAuth,
        ExtendedKeyUsagePurpose::ClientAuth,
    ];
    edit(&mut draft.params);
    draft
}

impl Draft {
    fn signed_by(&self, issuer: &Self) -> Vec<u8> {
        let issuer = Issuer::from_params(&issuer.params, &issuer.key);
        let certificate = self.params.signed_by(&self.key, &issuer);
        certificate.expect("a certificate").der().to_vec()
    }

    fn self_signed(&self) -> Vec<u8> {
        let certificate = self.params.self_signed(&self.key);
        certificate.expect("a certificate").der().to_vec()
    }
}

/// A root, an intermediate and a leaf, each with a mistake or none.
fn three(root: Edit, intermediate: Edit, leaf_edit: Edit) -> (Vec<Vec<u8>>, Vec<u8>) {
    let root = authority("Root", root);
    let intermediate = authority("Intermediate", intermediate);
    let leaf = leaf(leaf_edit);
    let chain = vec![leaf.signed_by(&intermediate), intermediate.signed_by(&root)];
    (chain, root.self_signed())
}

/// The chain without a mistake, and its root.
#[must_use]
pub fn none() -> (Vec<Vec<u8>>, Vec<u8>) {
    three(nothing, nothing, nothing)
}

/// A chain whose certificates are never all valid at once, and its root.
#[must_use]
pub fn never_valid() -> (Vec<Vec<u8>>, Vec<u8>) {
    three(nothing, expired, future)
}

fn in_leaf(
    what: &'static str,
    code: &'static str,
    hint: &'static str,
    openssl: Option<u8>,
    edit: Edit,
) -> Mistake {
    of(what, code, hint, openssl, three(nothing, nothing, edit))
}

fn in_intermediate(
    what: &'static str,
    code: &'static str,
    hint: &'static str,
    openssl: Option<u8>,
    edit: Edit,
) -> Mistake {
    of(what, code, hint, openssl, three(nothing, edit, nothing))
}

fn in_root(
    what: &'static str,
    code: &'static str,
    hint: &'static str,
    openssl: Option<u8>,
    edit: Edit,
) -> Mistake {
    of(what, code, hint, openssl, three(edit, nothing, nothing))
}

fn of(
    what: &'static str,
    code: &'static str,
    hint: &'static str,
    openssl: Option<u8>,
    (chain, anchor): (Vec<Vec<u8>>, Vec<u8>),
) -> Mistake {
    Mistake {
        what,
        chain,
        anchor,
        host: HOST,
        code,
        hint,
        openssl,
    }
}

fn for_host(mut mistake: Mistake, host: &'static str) -> Mistake {
    mistake.host = host;
    mistake
}

fn expired(params: &mut CertificateParams) {
    params.not_before = date_time_ymd(2019, 1, 1);
    params.not_after = date_time_ymd(2020, 2, 29);
}

fn future(params: &mut CertificateParams) {
    params.not_before = date_time_ymd(2099, 1, 1);
}

/// OIDs below 2.5.29.
fn extension(id: u64, critical: bool, content: &[u8]) -> CustomExtension {
    let mut extension = CustomExtension::from_oid_content(&[2, 5, 29, id], content.to_vec());
    extension.set_criticality(critical);
    extension
}

fn strange(params: &mut CertificateParams) {
    let mut extension = CustomExtension::from_oid_content(&[1, 2, 3, 4], vec![5, 0]);
    extension.set_criticality(true);
    params.custom_extensions.push(extension);
}

fn only(permitted: Vec<GeneralSubtree>, excluded: Vec<GeneralSubtree>) -> Option<NameConstraints> {
    Some(NameConstraints {
        permitted_subtrees: permitted,
        excluded_subtrees: excluded,
    })
}

fn domain(name: &str) -> Vec<GeneralSubtree> {
    vec![GeneralSubtree::DnsName(name.to_owned())]
}

fn names(params: &mut CertificateParams, names: &[&str]) {
    let dns = |name: &&str| SanType::DnsName((*name).try_into().expect("ASCII"));
    params.subject_alt_names = names.iter().map(dns).collect();
}

/// All of them; made once.
pub static ALL: LazyLock<Vec<Mistake>> = LazyLock::new(|| {
    let mut all = time();
    all.extend(trust());
    all.extend(host_names());
    all.extend(purposes());
    all.extend(authorities());
    all.extend(constraints());
    all.extend(forms());
    all
});

fn time() -> Vec<Mistake> {
    const EXPIRED: &str = "CERT_HAS_EXPIRED";
    const FUTURE: &str = "CERT_NOT_YET_VALID";
    vec![
        in_leaf(
            "the leaf is expired",
            EXPIRED,
            "renew it",
            Some(10),
            expired,
        ),
        in_intermediate(
            "the intermediate is expired",
            EXPIRED,
            "renew it",
            Some(10),
            expired,
        ),
        in_root(
            "the root is expired",
            EXPIRED,
            "renew it",
            Some(10),
            expired,
        ),
        in_leaf("the leaf is not valid yet", FUTURE, "wait", Some(9), future),
        in_intermediate(
            "the intermediate is not valid yet",
            FUTURE,
            "wait",
            Some(9),
            future,
        ),
        in_root("the root is not valid yet", FUTURE, "wait", Some(9), future),
    ]
}

fn trust() -> Vec<Mistake> {
    const LOCALLY: &str = "UNABLE_TO_GET_ISSUER_CERT_LOCALLY";
    const IN_CHAIN: &str = "SELF_SIGNED_CERT_IN_CHAIN";
    const ALONE: &str = "DEPTH_ZERO_SELF_SIGNED_CERT";
    const SIGNATURE: &str = "CERT_SIGNATURE_FAILURE";
    let (chain, root) = none();
    let (_, other_root) = none();
    let stranger = authority("Stranger", nothing).self_signed();
    let alone = vec![leaf(nothing).self_signed()];
    let alone_authority =
        vec![leaf(|params| params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained)).self_signed()];
    let with_root = vec![chain[0].clone(), chain[1].clone(), root.clone()];
    let without_intermediate = vec![chain[0].clone()];
    let wrong_intermediate = vec![chain[0].clone(), stranger.clone()];
    let mut changed = chain.clone();
    flip_last(&mut changed[0]);
    let mut changed_above = chain.clone();
    flip_last(&mut changed_above[1]);
    let send = "send its intermediate certificates";
    vec![
        of(
            "self-signed",
            ALONE,
            "trust this certificate itself",
            Some(18),
            (alone, root.clone()),
        ),
        of(
            "self-signed, as an authority",
            ALONE,
            "trust this certificate itself",
            Some(18),
            (alone_authority, root.clone()),
        ),
        of(
            "a strange root, sent along",
            IN_CHAIN,
            "trust that root",
            Some(19),
            (with_root, stranger.clone()),
        ),
        of(
            "a strange root, not sent",
            LOCALLY,
            "trust the issuer",
            Some(20),
            (chain.clone(), stranger),
        ),
        of(
            "the intermediate is missing",
            LOCALLY,
            send,
            Some(20),
            (without_intermediate, root.clone()),
        ),
        of(
            "another intermediate is sent",
            LOCALLY,
            send,
            Some(20),
            (wrong_intermediate, root.clone()),
        ),
        of(
            "the leaf's signature is changed",
            SIGNATURE,
            "get the certificate again",
            Some(7),
            (changed, root.clone()),
        ),
        of(
            "the intermediate's signature is changed",
            SIGNATURE,
            "get the certificate again",
            Some(7),
            (changed_above, root),
        ),
        of(
            "a root of the same name with another key",
            SIGNATURE,
            "get the certificate again",
            None,
            (chain, other_root),
        ),
    ]
}

fn flip_last(der: &mut [u8]) {
    if let Some(last) = der.last_mut() {
        *last ^= 1;
    }
}

fn host_names() -> Vec<Mistake> {
    const HOSTNAME: &str = "HOSTNAME_MISMATCH";
    const ADDRESS: &str = "IP_ADDRESS_MISMATCH";
    let name = |what, host, edit: Edit| {
        for_host(
            in_leaf(what, HOSTNAME, "use a name that it has", Some(62), edit),
            host,
        )
    };
    let address = |what, host, edit: Edit| {
        for_host(
            in_leaf(what, ADDRESS, "with this address", Some(64), edit),
            host,
        )
    };
    vec![
        name("another name", "b.example", nothing),
        name("a name below", "b.a.example", nothing),
        name("a name above", "example", nothing),
        name("a wildcard for two labels", "c.b.a.example", |params| {
            names(params, &["*.a.example"]);
        }),
        name("a wildcard for none", "a.example", |params| {
            names(params, &["*.a.example"])
        }),
        name(
            "a wildcard that is not the first label",
            "b.c.example",
            |params| {
                names(params, &["b.*.example"]);
            },
        ),
        of(
            "a common name alone",
            HOSTNAME,
            "use a name that it has",
            None,
            three(nothing, nothing, |params| params.subject_alt_names.clear()),
        ),
        address("an address for a name", "192.0.2.1", nothing),
        address("another address", "192.0.2.1", |params| {
            let other = "192.0.2.2".parse().expect("an address");
            params.subject_alt_names = vec![SanType::IpAddress(other)];
        }),
        address("an address of version 6", "2001:db8::1", |params| {
            let other = "2001:db8::2".parse().expect("an address");
            params.subject_alt_names = vec![SanType::IpAddress(other)];
        }),
        address("an address as a DNS name", "192.0.2.1", |params| {
            names(params, &["192.0.2.1"]);
        }),
    ]
}

fn purposes() -> Vec<Mistake> {
    use ExtendedKeyUsagePurpose as Purpose;
    const PURPOSE: &str = "INVALID_PURPOSE";
    const HINT: &str = "get one for this purpose";
    vec![
        in_leaf("for clients", PURPOSE, HINT, Some(26), |params| {
            params.extended_key_usages = vec![Purpose::ClientAuth];
        }),
        in_leaf("for code", PURPOSE, HINT, Some(26), |params| {
            params.extended_key_usages = vec![Purpose::CodeSigning];
        }),
        in_leaf(
            "for time stamps and mail",
            PURPOSE,
            HINT,
            Some(26),
            |params| {
                params.extended_key_usages = vec![Purpose::TimeStamping, Purpose::EmailProtection];
            },
        ),
        in_intermediate("an authority for mail", PURPOSE, HINT, Some(26), |params| {
            params.extended_key_usages = vec![Purpose::EmailProtection];
        }),
        in_leaf(
            "an authority's",
            PURPOSE,
            "trust exactly this one",
            None,
            |params| {
                params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            },
        ),
        in_leaf(
            "keyUsage for certificates alone",
            "KEYUSAGE_NO_DIGITAL_SIGNATURE",
            "digitalSignature",
            None,
            |params| params.key_usages = vec![KeyUsagePurpose::KeyEncipherment],
        ),
        in_leaf(
            "keyUsage for certificates too",
            "KU_KEY_CERT_SIGN_INVALID_FOR_NON_CA",
            "no keyCertSign",
            None,
            |params| params.key_usages.push(KeyUsagePurpose::KeyCertSign),
        ),
    ]
}

fn authorities() -> Vec<Mistake> {
    const NO_CA: &str = "INVALID_CA";
    const HINT: &str = "get it from an authority";
    const LENGTH: &str = "PATH_LENGTH_EXCEEDED";
    vec![
        in_intermediate(
            "an issuer without basicConstraints",
            NO_CA,
            HINT,
            Some(79),
            |params| {
                params.is_ca = IsCa::NoCa;
            },
        ),
        in_intermediate(
            "an issuer that is no authority",
            NO_CA,
            HINT,
            Some(79),
            |params| {
                params.is_ca = IsCa::ExplicitNoCa;
            },
        ),
        in_intermediate(
            "an issuer that may not sign",
            "KEYUSAGE_NO_CERTSIGN",
            "with keyCertSign",
            None,
            |params| params.key_usages = vec![KeyUsagePurpose::CrlSign],
        ),
        in_root(
            "a root without basicConstraints",
            NO_CA,
            HINT,
            Some(79),
            |params| {
                params.is_ca = IsCa::NoCa;
                params.key_usages.clear();
            },
        ),
        of(
            "too long for an intermediate",
            LENGTH,
            "higher up",
            Some(25),
            below(nothing, |params| {
                params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
            }),
        ),
        in_root(
            "too long for the root",
            LENGTH,
            "higher up",
            Some(25),
            |params| {
                params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
            },
        ),
        of(
            "eight intermediates",
            "CERT_CHAIN_TOO_LONG",
            "a shorter chain",
            None,
            deep(8),
        ),
    ]
}

/// Two intermediates, of which the upper has a mistake.
fn below(root: Edit, upper: Edit) -> (Vec<Vec<u8>>, Vec<u8>) {
    let root = authority("Root", root);
    let upper = authority("Upper", upper);
    let lower = authority("Lower", nothing);
    let leaf = leaf(nothing);
    let chain = vec![
        leaf.signed_by(&lower),
        lower.signed_by(&upper),
        upper.signed_by(&root),
    ];
    (chain, root.self_signed())
}

/// So many intermediates.
fn deep(count: usize) -> (Vec<Vec<u8>>, Vec<u8>) {
    let root = authority("Root", nothing);
    let anchor = root.self_signed();
    let mut above = root;
    let mut chain = Vec::new();
    for number in 0..count {
        let next = authority(&format!("Intermediate {number}"), nothing);
        chain.insert(0, next.signed_by(&above));
        above = next;
    }
    chain.insert(0, leaf(nothing).signed_by(&above));
    (chain, anchor)
}

fn constraints() -> Vec<Mistake> {
    const PERMITTED: &str = "PERMITTED_VIOLATION";
    const EXCLUDED: &str = "EXCLUDED_VIOLATION";
    const SYNTAX: &str = "UNSUPPORTED_CONSTRAINT_SYNTAX";
    const HINT: &str = "may issue for these names";
    let other: Edit = |params| params.name_constraints = only(domain("b.example"), vec![]);
    let not_this: Edit = |params| params.name_constraints = only(vec![], domain("a.example"));
    let person: Edit = |params| {
        let mut name = DistinguishedName::new();
        name.push(DnType::OrganizationName, "Other");
        params.name_constraints = only(vec![GeneralSubtree::DirectoryName(name)], vec![]);
    };
    let network: Edit = |params| {
        let network = CidrSubnet::from_v4_prefix([10, 0, 0, 0], 8);
        params.name_constraints = only(vec![GeneralSubtree::IpAddress(network)], vec![]);
    };
    let addressed: Edit = |params| {
        let address = "192.0.2.1".parse().expect("an address");
        params.subject_alt_names = vec![SanType::IpAddress(address)];
    };
    vec![
        in_intermediate(
            "outside of an intermediate's domain",
            PERMITTED,
            HINT,
            Some(47),
            other,
        ),
        in_intermediate(
            "excluded by an intermediate",
            EXCLUDED,
            HINT,
            Some(48),
            not_this,
        ),
        in_intermediate(
            "not the organization of an intermediate",
            PERMITTED,
            HINT,
            Some(47),
            person,
        ),
        in_root(
            "outside of the root's domain",
            PERMITTED,
            HINT,
            Some(47),
            other,
        ),
        in_root("excluded by the root", EXCLUDED, HINT, Some(48), not_this),
        in_root(
            "not the organization of the root",
            PERMITTED,
            HINT,
            Some(47),
            person,
        ),
        for_host(
            of(
                "outside of an intermediate's network",
                PERMITTED,
                HINT,
                Some(47),
                three(nothing, network, addressed),
            ),
            "192.0.2.1",
        ),
        in_intermediate(
            "a constraint that begins with a dot",
            SYNTAX,
            "well-formed",
            None,
            |params| {
                params.name_constraints = only(domain(".example"), vec![]);
            },
        ),
        in_intermediate("empty constraints", SYNTAX, "well-formed", None, |params| {
            params
                .custom_extensions
                .push(extension(30, true, &[0x30, 0]));
        }),
        in_leaf(
            "constraints of a leaf",
            "INVALID_EXTENSION",
            "issued again",
            None,
            |params| {
                let content = [0x30, 9, 0xa0, 7, 0x30, 5, 0x82, 3, b'c', b'o', b'm'];
                params.custom_extensions.push(extension(30, true, &content));
            },
        ),
    ]
}

fn forms() -> Vec<Mistake> {
    const CRITICAL: &str = "UNHANDLED_CRITICAL_EXTENSION";
    const CORRECT: &str = "by correct software";
    let (chain, root) = none();
    let garbage = |der: Vec<u8>| {
        let chain = vec![der, chain[1].clone()];
        (chain, root.clone())
    };
    let truncated = chain[0][..chain[0].len() - 1].to_vec();
    let longer = [&chain[0][..], &[0]].concat();
    vec![
        in_leaf(
            "a critical extension of a leaf",
            CRITICAL,
            "not critical",
            Some(34),
            strange,
        ),
        in_intermediate(
            "a critical extension of an intermediate",
            CRITICAL,
            "not critical",
            Some(34),
            strange,
        ),
        in_root(
            "a critical extension of a root",
            CRITICAL,
            "not critical",
            Some(34),
            strange,
        ),
        in_leaf(
            "a critical authorityKeyIdentifier",
            "UNHANDLED_CRITICAL_EXTENSION",
            "not critical",
            None,
            |params| {
                params.use_authority_key_identifier_extension = false;
                let id = [0x30, 6, 0x80, 4, 1, 2, 3, 4];
                params.custom_extensions.push(extension(35, true, &id));
            },
        ),
        in_intermediate(
            "basicConstraints is not critical",
            "CA_BCONS_NOT_CRITICAL",
            "critical",
            None,
            |params| {
                params.is_ca = IsCa::NoCa;
                params
                    .custom_extensions
                    .push(extension(14, false, &[4, 4, 1, 2, 3, 4]));
                params
                    .custom_extensions
                    .push(extension(19, false, &[0x30, 3, 1, 1, 0xff]));
            },
        ),
        in_intermediate(
            "an authority without subjectKeyIdentifier",
            "MISSING_SUBJECT_KEY_IDENTIFIER",
            "with subjectKeyIdentifier",
            None,
            |params| {
                params.is_ca = IsCa::NoCa;
                params
                    .custom_extensions
                    .push(extension(19, true, &[0x30, 3, 1, 1, 0xff]));
            },
        ),
        in_intermediate(
            "policyConstraints is not critical",
            "INVALID_EXTENSION",
            CORRECT,
            None,
            |params| {
                let content = [0x30, 3, 0x80, 1, 0];
                params
                    .custom_extensions
                    .push(extension(36, false, &content));
            },
        ),
        in_leaf(
            "a name that must be critical",
            "EMPTY_SUBJECT_SAN_NOT_CRITICAL",
            "critical subjectAltName",
            None,
            |params| {
                params.distinguished_name = DistinguishedName::new();
                params.subject_alt_names.clear();
                let content = [&[0x30, 11, 0x82, 9][..], HOST.as_bytes()].concat();
                params
                    .custom_extensions
                    .push(extension(17, false, &content));
            },
        ),
        in_intermediate(
            "an authority without a name",
            "ISSUER_NAME_EMPTY",
            "that has a name",
            None,
            |params| {
                params.distinguished_name = DistinguishedName::new();
            },
        ),
        in_leaf(
            "a serial number of zero",
            "CERT_MALFORMED",
            CORRECT,
            None,
            |params| {
                params.serial_number = Some(SerialNumber::from(vec![0]));
            },
        ),
        in_leaf(
            "a serial number of 30 octets",
            "CERT_MALFORMED",
            CORRECT,
            None,
            |params| {
                params.serial_number = Some(SerialNumber::from(vec![1; 30]));
            },
        ),
        in_leaf(
            "extendedKeyUsage is no list",
            "INVALID_EXTENSION",
            CORRECT,
            None,
            |params| {
                params.extended_key_usages.clear();
                params
                    .custom_extensions
                    .push(extension(37, false, &[0x30, 0]));
            },
        ),
        of(
            "no certificate",
            "CERT_MALFORMED",
            CORRECT,
            None,
            garbage(b"hello".to_vec()),
        ),
        of(
            "an empty certificate",
            "CERT_MALFORMED",
            CORRECT,
            None,
            garbage(vec![0x30, 0]),
        ),
        of(
            "a truncated certificate",
            "CERT_MALFORMED",
            "whole",
            None,
            garbage(truncated),
        ),
        of(
            "bytes after the certificate",
            "CERT_MALFORMED",
            CORRECT,
            None,
            garbage(longer),
        ),
    ]
}
