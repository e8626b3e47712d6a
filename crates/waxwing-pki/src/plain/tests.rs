//! What is seen at a glance against what decoding finds: of good certificates, of bad ones, and
//! of good ones with one thing changed.

use alloc::vec::Vec;
use std::sync::LazyLock;

use rcgen::{
    BasicConstraints, CertificateParams, CrlDistributionPoint, CustomExtension, DistinguishedName,
    DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose, date_time_ymd,
};
use waxwing_aws_lc::PROVIDER;
use waxwing_testkit::mistakes;
use x509_cert::Certificate;
use x509_cert::der::{Decode, Encode};

use super::Plain;
use crate::TrustAnchors;
use crate::end_entity::check_may_sign;
use crate::path::{Judge, is_self_issued};
use crate::public_key::Strength;
use crate::revocation::Fields;
use crate::rules::Role;
use crate::tls_feature::must_staple;
use crate::tlv::{self, Elements};

const ROLES: [Role; 2] = [Role::EndEntity, Role::Intermediate];

static JUDGE: LazyLock<Judge> =
    LazyLock::new(|| Judge::new(&PROVIDER, TrustAnchors::none().into()));

fn plain(der: &[u8], role: Role) -> Option<Plain<'_>> {
    Plain::read(der).filter(|plain| plain.is_good(role, Strength::LEAST))
}

/// Panics if a certificate is plain, and decoding says otherwise. Says whether it is plain.
fn compare(der: &[u8], role: Role) -> bool {
    let Some(plain) = plain(der, role) else {
        return false;
    };
    let shown = || hex::encode(der);
    let decoded = Certificate::from_der(der).unwrap_or_else(|error| panic!("{error} {}", shown()));
    let outcome = JUDGE.certificate(&decoded, role);
    assert_eq!(outcome, Ok(()), "{role:?} {}", shown());
    let tbs = decoded.tbs_certificate();
    let spki = tbs.subject_public_key_info().to_der().unwrap();
    assert_eq!(plain.spki, spki, "{}", shown());
    assert_eq!(plain.not_before, tbs.validity().not_before.into());
    assert_eq!(plain.not_after, tbs.validity().not_after.into());
    let self_issued = is_self_issued(&decoded);
    assert_eq!(plain.is_self_issued(), self_issued, "{}", shown());
    let may_sign = check_may_sign(der).is_ok();
    assert_eq!(plain.may_sign(), may_sign, "{}", shown());
    assert!(!must_staple(&Fields::of(der).unwrap()), "{}", shown());
    true
}

/// An element, and what is in it.
#[derive(Clone, Debug)]
struct Node {
    tag: u8,
    content: Vec<u8>,
    inside: Vec<Self>,
}

impl Node {
    /// All elements in `bytes`, if they are nothing else.
    fn all(mut bytes: &[u8]) -> Option<Vec<Self>> {
        let mut nodes = Vec::new();
        while let Some(tag) = bytes.first().copied() {
            let mut elements = Elements::of(bytes);
            let whole = elements.take_whole(tag)?;
            bytes = &bytes[whole.len()..];
            let content = tlv::only(whole, tag)?;
            let holds = tag & 0x20 != 0 || tag == tlv::OCTET_STRING;
            let inside = Self::all(content).filter(|_| holds).unwrap_or_default();
            nodes.push(Self {
                tag,
                content: content.to_vec(),
                inside,
            });
        }
        Some(nodes)
    }

    /// With lengths that fit.
    fn encode(&self) -> Vec<u8> {
        let inside: Vec<u8> = self.inside.iter().flat_map(Self::encode).collect();
        let content = if self.inside.is_empty() {
            &self.content
        } else {
            &inside
        };
        let mut out = vec![self.tag];
        match u16::try_from(content.len()).unwrap().to_be_bytes() {
            [0, len @ 0..=0x7f] => out.push(len),
            [0, len] => out.extend([0x81, len]),
            [high, low] => out.extend([0x82, high, low]),
        }
        out.extend_from_slice(content);
        out
    }

    fn count(&self) -> usize {
        1 + self.inside.iter().map(Self::count).sum::<usize>()
    }

    /// Changes the `place`th of those below.
    fn change(&mut self, mut place: usize, change: fn(&mut Vec<Self>, usize)) {
        for index in 0..self.inside.len() {
            if place == 0 {
                return change(&mut self.inside, index);
            }
            let count = self.inside[index].count();
            if place < count {
                return self.inside[index].change(place - 1, change);
            }
            place -= count;
        }
    }
}

/// What can become of an element among its neighbours.
const CHANGES: [fn(&mut Vec<Node>, usize); 21] = [
    |nodes, at| drop(nodes.remove(at)),
    |nodes, at| nodes.insert(at, nodes[at].clone()),
    |nodes, at| nodes.push(nodes[at].clone()),
    |nodes, at| nodes.swap(at, 0),
    |nodes, at| {
        nodes[at].inside.clear();
        nodes[at].content.clear();
    },
    |nodes, at| nodes[at].content.push(0),
    |nodes, at| nodes[at].content.insert(0, 0),
    |nodes, at| nodes[at].content.insert(0, 0xff),
    |nodes, at| nodes[at].content.resize(60, 0x81),
    |nodes, at| nodes[at].content.resize(60, 1),
    |nodes, at| {
        nodes[at]
            .inside
            .push(Node::all(&[tlv::NULL, 0]).unwrap().remove(0))
    },
    |nodes, at| nodes[at].tag = tlv::INTEGER,
    |nodes, at| nodes[at].tag = tlv::BIT_STRING,
    |nodes, at| nodes[at].tag = tlv::OCTET_STRING,
    |nodes, at| nodes[at].tag = tlv::OBJECT_IDENTIFIER,
    |nodes, at| nodes[at].tag = tlv::SEQUENCE,
    |nodes, at| nodes[at].tag = tlv::SET,
    |nodes, at| nodes[at].tag = tlv::primitive(2),
    |nodes, at| nodes[at].tag = tlv::primitive(6),
    |nodes, at| nodes[at].tag = tlv::constructed(0),
    |nodes, at| nodes[at].tag = tlv::constructed(1),
];

fn params(edit: fn(&mut CertificateParams)) -> CertificateParams {
    let mut params = CertificateParams::new(["a.example".into(), "192.0.2.1".into()]).unwrap();
    params.distinguished_name = DistinguishedName::new();
    params.use_authority_key_identifier_extension = true;
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2100, 1, 1);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![
        ExtendedKeyUsagePurpose::ServerAuth,
        ExtendedKeyUsagePurpose::ClientAuth,
    ];
    params.crl_distribution_points = vec![CrlDistributionPoint {
        uris: vec!["http://a.example/list".into()],
    }];
    // authorityInfoAccess with a responder's URI, and certificatePolicies.
    for (id, content) in [
        (
            &[1, 3, 6, 1, 5, 5, 7, 1, 1][..],
            &b"\x30\x13\x30\x11\x06\x08\x2b\x06\x01\x05\x05\x07\x30\x01\x86\x05http:"[..],
        ),
        (
            &[2, 5, 29, 32],
            b"\x30\x0a\x30\x08\x06\x06\x67\x81\x0c\x01\x02\x01",
        ),
    ] {
        let extension = CustomExtension::from_oid_content(id, content.to_vec());
        params.custom_extensions.push(extension);
    }
    edit(&mut params);
    params
}

fn make_authority(params: &mut CertificateParams) {
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(2));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.distinguished_name.push(DnType::CommonName, "Middle");
}

fn issue(params: &CertificateParams) -> Vec<u8> {
    let key = KeyPair::generate().unwrap();
    let mut root = CertificateParams::default();
    root.distinguished_name.push(DnType::CommonName, "Root");
    let issuer = Issuer::new(root, KeyPair::generate().unwrap());
    params.signed_by(&key, &issuer).unwrap().der().to_vec()
}

/// Those of today's public authorities, as far as extensions go: one with a name, one without,
/// and an authority's.
fn good() -> [(Vec<u8>, Role); 3] {
    let named = params(|params| {
        params
            .distinguished_name
            .push(DnType::CommonName, "a.example")
    });
    let unnamed = params(|_| {});
    let authority = params(make_authority);
    [
        (issue(&named), Role::EndEntity),
        (issue(&unnamed), Role::EndEntity),
        (issue(&authority), Role::Intermediate),
    ]
}

#[test]
fn usual_certificates_are_plain_where_they_belong() {
    for (der, role) in good() {
        assert!(compare(&der, role), "{role:?} {}", hex::encode(&der));
    }
    let (chain, _) = mistakes::none();
    assert!(compare(&chain[0], Role::EndEntity));
    assert!(compare(&chain[1], Role::Intermediate));
    assert!(!compare(&chain[0], Role::Intermediate));
    assert!(!compare(&chain[1], Role::EndEntity));
}

#[test]
fn the_roots_of_the_web_are_no_surprise() {
    let roots = webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter();
    let plain = roots.filter(|root| compare(root, Role::Intermediate));
    // Some have names of several parts, or numbers of zero.
    assert!(plain.count() > 90);
}

#[test]
fn mistakes_are_not_overlooked() {
    for mistake in mistakes::ALL.iter() {
        for der in mistake.chain.iter().chain([&mistake.anchor]) {
            for role in ROLES {
                compare(der, role);
            }
        }
    }
}

#[test]
fn a_changed_octet_makes_nothing_plain_that_is_not() {
    let mut plain = 0;
    for (der, _) in good() {
        for place in 0..der.len() {
            let old = der[place];
            for new in [
                old ^ 1,
                old ^ 0x20,
                old ^ 0x80,
                old.wrapping_add(1),
                0,
                0xff,
            ] {
                let mut changed = der.clone();
                changed[place] = new;
                plain += ROLES
                    .iter()
                    .filter(|role| compare(&changed, **role))
                    .count();
            }
        }
    }
    // Signatures, keys and names may be anything.
    assert!(plain > 1_000, "{plain}");
}

#[test]
fn a_changed_element_makes_nothing_plain_that_is_not() {
    let mut plain = 0;
    for (der, _) in good() {
        let tree = Node::all(&der).unwrap().remove(0);
        assert_eq!(tree.encode(), der);
        for place in 0..tree.count() - 1 {
            for change in CHANGES {
                let mut changed = tree.clone();
                changed.change(place, change);
                let changed = changed.encode();
                plain += ROLES
                    .iter()
                    .filter(|role| compare(&changed, **role))
                    .count();
            }
        }
    }
    assert!(plain > 100, "{plain}");
}

#[test]
fn every_keyusage_is_read_as_it_is_decoded() {
    let mut plain = 0;
    for (der, role) in good() {
        let before = b"\x55\x1d\x0f\x01\x01\xff\x04\x04\x03\x02";
        let at = der.windows(before.len()).position(|part| part == before);
        let at = at.unwrap() + before.len();
        for unused in 0..=8 {
            for octet in 0..=0xff {
                let mut changed = der.clone();
                changed[at..at + 2].copy_from_slice(&[unused, octet]);
                plain += usize::from(compare(&changed, role));
            }
        }
    }
    assert!(plain > 500, "{plain}");
}

#[test]
fn what_is_rare_is_left_to_others() {
    let rare: [(&[u64], &[u8]); 3] = [
        (&[2, 5, 29, 30], b"\x30\x0b\xa0\x09\x30\x07\x82\x05a.com"),
        (&[2, 5, 29, 36], b"\x30\x03\x80\x01\x00"),
        (&[1, 3, 6, 1, 5, 5, 7, 1, 24], b"\x30\x03\x02\x01\x05"),
    ];
    for (id, content) in rare {
        for authority in [false, true] {
            let mut params = params(if authority { make_authority } else { |_| {} });
            let extension = CustomExtension::from_oid_content(id, content.to_vec());
            params.custom_extensions.push(extension);
            let der = issue(&params);
            assert!(Certificate::from_der(&der).is_ok());
            for role in ROLES {
                assert!(!compare(&der, role), "{id:?} {role:?}");
            }
        }
    }
}

#[test]
fn what_is_cut_short_or_has_more_behind_it_is_not_plain() {
    for (der, role) in good() {
        for len in 0..der.len() {
            assert!(!compare(&der[..len], role), "{len}");
        }
        let longer = [&der[..], &[0]].concat();
        assert!(!compare(&longer, role));
    }
}
