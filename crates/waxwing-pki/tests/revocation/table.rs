//! Sources of revocation, in every state they can be in, asked softly and hard.

use std::collections::HashMap;
use std::sync::Arc;

use waxwing_aws_lc::PROVIDER;
use waxwing_core::{
    CertificateError, CertificateType, Rejection, ServerCertRequest, ServerCertVerifier,
    ServerName, Verdict,
};
use waxwing_pki::revocation::crlite::{Filter, FilterSet, Filters};
use waxwing_pki::revocation::{
    Crl, CrlSet, Depth, Evidence, Mode, Outcome, RevocationPolicy, VerifiedChain,
};
use waxwing_pki::{Clock, Code, TrustAnchors, Verifier};
use waxwing_testkit::revocation::{
    Authority, CrlSpec, CtLog, DAY, HOUR, Leaf, NAME, NOW, OcspSpec, OcspStatus, Responder, at,
    filter,
};

const SERIAL: [u8; 3] = [0x81, 0x02, 0x03];

/// A root, an authority under it, a stranger of the same name with another key, and a log.
struct World {
    root: Authority,
    authority: Authority,
    impostor: Authority,
    log: CtLog,
}

impl World {
    fn new() -> Self {
        let root = Authority::root("Root");
        Self {
            authority: root.under("Authority"),
            impostor: root.under("Authority"),
            root,
            log: CtLog::new(),
        }
    }

    fn leaf(&self, must_staple: bool) -> Vec<u8> {
        let (certificate, _) = self.authority.leaf(&Leaf {
            serial: SERIAL.to_vec(),
            must_staple,
            logs: vec![(&self.log, at(-HOUR))],
            ..Leaf::default()
        });
        certificate
    }

    fn anchors(&self) -> TrustAnchors {
        TrustAnchors::from_pem_or_der(&self.root.certificate).unwrap()
    }

    fn outcome(&self, policy: &RevocationPolicy, leaf: &[u8], ocsp: Option<&[u8]>) -> Outcome {
        let chain = [leaf, &self.authority.certificate, &self.root.certificate];
        let chain = VerifiedChain::in_order(&chain).unwrap();
        policy.check(&chain, &Evidence::of_server(ocsp, None), NOW)
    }

    /// What a verifier with this policy makes of a server, whose name and chain are right.
    fn verify(
        &self,
        policy: RevocationPolicy,
        leaf: &[u8],
        ocsp: Option<&[u8]>,
    ) -> Result<(), Rejection> {
        let verifier = Verifier::new(&PROVIDER, self.anchors())
            .clock(Clock::Fixed(NOW))
            .revocation(policy);
        let name: ServerName = NAME.parse().unwrap();
        let request = ServerCertRequest {
            certificate_type: CertificateType::X509,
            chain: &[leaf, &self.authority.certificate],
            ocsp,
            scts: None,
            name: &name,
        };
        match verifier.verify(&request) {
            Verdict::Accepted(_) => Ok(()),
            Verdict::Rejected(rejection) => Err(rejection),
            Verdict::Pending => panic!("this verifier answers at once"),
        }
    }

    fn crl(&self, state: State) -> Option<Vec<u8>> {
        let mut spec = CrlSpec::default();
        let mut signer = &self.authority;
        match state {
            State::Good => {}
            State::Revoked => spec.revoked = vec![SERIAL.to_vec()],
            State::Stale => (spec.this_update, spec.next_update) = (-2 * DAY, -HOUR),
            State::Future => (spec.this_update, spec.next_update) = (HOUR, DAY),
            State::WrongSigner => signer = &self.impostor,
            State::Missing => return None,
        }
        Some(signer.crl(&spec))
    }

    fn ocsp(&self, state: State) -> Option<Vec<u8>> {
        let mut spec = OcspSpec::default();
        let mut signer = &self.authority;
        match state {
            State::Good => {}
            State::Revoked => spec.status = OcspStatus::Revoked,
            State::Stale => (spec.this_update, spec.next_update) = (-2 * DAY, Some(-HOUR)),
            State::Future => (spec.this_update, spec.next_update) = (HOUR, Some(DAY)),
            State::WrongSigner => signer = &self.impostor,
            State::Missing => return None,
        }
        let responder = Responder::issuer(signer);
        Some(responder.respond(&self.authority, &SERIAL, &spec))
    }

    /// A filter of this authority's certificates; of the impostor's, where the signer is wrong,
    /// since nobody signs filters.
    fn filters(&self, state: State) -> Filters {
        let issuer = match state {
            State::WrongSigner => &self.impostor,
            _ => &self.authority,
        };
        let made = match state {
            State::Stale => at(-11 * DAY),
            State::Future => at(HOUR),
            _ => NOW,
        };
        let log = match state {
            State::Missing => CtLog::new().id(),
            _ => self.log.id(),
        };
        let revoked = state == State::Revoked;
        let bytes = filter(
            &issuer.certificate,
            log,
            (at(-DAY), at(DAY)),
            &[(&SERIAL, revoked)],
        );
        let filter = Filter::from_bytes(&bytes).unwrap();
        Filters::new(vec![Arc::new(filter)], Some(made))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum State {
    Good,
    Revoked,
    Stale,
    Missing,
    WrongSigner,
    Future,
}

const STATES: [State; 6] = [
    State::Good,
    State::Revoked,
    State::Stale,
    State::Missing,
    State::WrongSigner,
    State::Future,
];

/// The kinds of sources; a certificate that demands a staple makes a hard one of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Kind {
    Crl,
    Staple,
    MustStaple,
    Crlite,
}

/// What should come out, as a code; `None` if the server is accepted.
fn expected(kind: Kind, state: State, mode: Mode) -> Option<CertificateError> {
    let silent = match kind {
        Kind::Crl | Kind::Crlite => CertificateError::StatusUnknown,
        Kind::Staple | Kind::MustStaple => CertificateError::BadStatus,
    };
    match (state, mode, kind) {
        (State::Revoked, ..) => Some(CertificateError::Revoked),
        (State::Good, ..) => None,
        (_, Mode::Hard, _) | (.., Kind::MustStaple) => Some(silent),
        _ => None,
    }
}

/// Words that the explanation must have, and the name that OpenSSL has for it.
fn expected_words(kind: Kind, state: State) -> (&'static str, &'static str) {
    let staple = matches!(kind, Kind::Staple | Kind::MustStaple);
    match (state, kind) {
        (State::Good, _) => ("is not revoked", ""),
        (State::Revoked, _) => ("is revoked", "CERT_REVOKED"),
        (_, Kind::MustStaple) => ("RFC 7633", "OCSP_VERIFY_NEEDED"),
        (State::Stale, _) => (
            "it was good until",
            if staple {
                "OCSP_VERIFY_FAILED"
            } else {
                "CRL_HAS_EXPIRED"
            },
        ),
        (State::Future, _) => (
            "it is good from",
            if staple {
                "OCSP_VERIFY_FAILED"
            } else {
                "CRL_NOT_YET_VALID"
            },
        ),
        (State::Missing, Kind::Staple) => ("there is none", "OCSP_VERIFY_NEEDED"),
        (State::Missing, Kind::Crlite) => ("too new for it", "UNABLE_TO_GET_CRL"),
        (State::Missing, _) => ("there is none", "UNABLE_TO_GET_CRL"),
        (State::WrongSigner, Kind::Crlite) => ("does not cover the issuer", "UNABLE_TO_GET_CRL"),
        (State::WrongSigner, _) => (
            "signer is not the issuer",
            if staple {
                "OCSP_VERIFY_FAILED"
            } else {
                "CRL_SIGNATURE_FAILURE"
            },
        ),
    }
}

#[test]
fn every_source_in_every_state_soft_and_hard() {
    let world = World::new();
    let leaves = HashMap::from([(false, world.leaf(false)), (true, world.leaf(true))]);
    let kinds = [Kind::Crl, Kind::Staple, Kind::MustStaple, Kind::Crlite];
    let mut cases = 0;
    for kind in kinds {
        for state in STATES {
            for mode in [Mode::Soft, Mode::Hard] {
                let case = format!("{kind:?} {state:?} {mode:?}");
                let leaf = &leaves[&(kind == Kind::MustStaple)];
                let policy = || {
                    let policy = RevocationPolicy::new(&PROVIDER)
                        .depth(Depth::EndEntity)
                        .staple(Mode::Off);
                    match kind {
                        Kind::Crl => {
                            let lists = world.crl(state).map(|der| Crl::from_der(der).unwrap());
                            policy.lists(Arc::new(CrlSet::new(&PROVIDER, lists)), mode)
                        }
                        Kind::Staple => policy.staple(mode),
                        // The certificate insists, whatever the policy does.
                        Kind::MustStaple => policy.staple(Mode::Off),
                        Kind::Crlite => {
                            let filters = FilterSet::new(world.filters(state));
                            policy.filters(Arc::new(filters), mode)
                        }
                    }
                };
                let staple = match kind {
                    Kind::Staple | Kind::MustStaple => world.ocsp(state),
                    Kind::Crl | Kind::Crlite => None,
                };
                let outcome = world.outcome(&policy(), leaf, staple.as_deref());
                let expected = expected(kind, state, mode);
                let code = outcome.code();
                let class = code.map(Code::class);
                assert_eq!(class, expected, "{case}: {outcome}");
                let verdict = world.verify(policy(), leaf, staple.as_deref());
                let text = outcome.to_string();
                match verdict {
                    Ok(()) => assert_eq!(code, None, "{case}"),
                    Err(rejection) => {
                        assert_eq!(Some(rejection.code), class, "{case}");
                        assert!(rejection.to_string().contains(&text), "{case}: {rejection}");
                    }
                }
                if let Some(code) = code {
                    let (words, openssl) = expected_words(kind, state);
                    assert!(
                        text.contains(words) && text.contains(NAME),
                        "{case}: {text}"
                    );
                    assert_eq!(code.name(), openssl, "{case}");
                }
                cases += 1;
            }
        }
    }
    assert_eq!(cases, 48);
}
