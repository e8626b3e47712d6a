//! A server with several certificates: each client gets the first that it can use.

mod common;

use std::sync::Arc;

use common::{Pair, server_key};
use waxwing_aws_lc::PROVIDER;
use waxwing_core::{
    CertifiedKey, ClientAuth, ClientCertRequest, ClientCertVerifier, ClientConfig, ConnectionInfo,
    Error, Incompatible, ProtocolVersions, ServerCertRequest, ServerCertVerifier, ServerConfig,
    Verdict, Verified,
};
use waxwing_crypto::{
    CipherSuite, CryptoProvider, KeyEncoding, NamedGroup, SignatureAlgorithm, SignatureScheme,
    SigningKey,
};

const RSA: &[u8] = include_bytes!("../../waxwing-crypto/src/vectors/data/rsa2048.pk8.der");
const P384: &[u8] = include_bytes!("../../waxwing-crypto/src/vectors/data/p384.pk8.der");
const VERSIONS: [ProtocolVersions; 2] = [ProtocolVersions::TLS12, ProtocolVersions::TLS13];

fn load(der: &[u8]) -> Arc<dyn SigningKey> {
    PROVIDER.keys.load(KeyEncoding::Pkcs8, der).unwrap()
}

/// The certificate of each key is the key.
fn certificate(key: &Arc<dyn SigningKey>) -> Arc<CertifiedKey> {
    let spki = key.public_key().unwrap();
    Arc::new(CertifiedKey::new(vec![spki], Arc::clone(key)))
}

#[derive(Debug)]
struct KeyIsCertificate;

impl ServerCertVerifier for KeyIsCertificate {
    fn verify(&self, request: &ServerCertRequest<'_>) -> Verdict {
        Verdict::Accepted(Verified::holder_of(request.chain[0].to_vec()))
    }
}

impl ClientCertVerifier for KeyIsCertificate {
    fn verify(&self, request: &ClientCertRequest<'_>) -> Verdict {
        Verdict::Accepted(Verified::holder_of(request.chain[0].to_vec()))
    }
}

/// The provider, checking no other signatures than these.
fn checking(schemes: &[SignatureScheme]) -> &'static CryptoProvider {
    let kept = PROVIDER.signatures.iter().filter(|algorithm| {
        algorithm
            .scheme
            .is_some_and(|scheme| schemes.contains(&scheme))
    });
    let signatures: Vec<SignatureAlgorithm> = kept
        .map(|algorithm| SignatureAlgorithm { ..*algorithm })
        .collect();
    Box::leak(Box::new(CryptoProvider {
        signatures: signatures.leak(),
        ..PROVIDER
    }))
}

fn agree(
    versions: ProtocolVersions,
    schemes: &[SignatureScheme],
    adjust: impl FnOnce(waxwing_core::ClientConfigBuilder) -> waxwing_core::ClientConfigBuilder,
) -> Result<ConnectionInfo, Error> {
    let keys = [server_key(), load(P384), load(RSA)];
    let certificates: Vec<Arc<CertifiedKey>> = keys.iter().map(certificate).collect();
    let server = ServerConfig::builder(&PROVIDER, Arc::new(certificates)).versions(versions);
    let client = ClientConfig::builder(checking(schemes), Arc::new(KeyIsCertificate));
    let mut pair = Pair::new(adjust(client.versions(versions)), server);
    pair.settle()?;
    let (_, _, info) = pair.client.connection.split().unwrap();
    Ok(info)
}

#[test]
fn the_first_that_the_client_can_check_is_used() {
    use SignatureScheme as S;
    for versions in VERSIONS {
        for (schemes, expected) in [
            (
                &[S::RSA_PSS_RSAE_SHA256, S::ECDSA_SECP256R1_SHA256][..],
                S::ECDSA_SECP256R1_SHA256,
            ),
            (&[S::ECDSA_SECP384R1_SHA384], S::ECDSA_SECP384R1_SHA384),
            (&[S::RSA_PSS_RSAE_SHA384], S::RSA_PSS_RSAE_SHA384),
        ] {
            let info = agree(versions, schemes, |client| client).unwrap();
            assert_eq!(
                info.signature_scheme,
                Some(expected),
                "{versions:?} {schemes:?}"
            );
        }
        let lacking = agree(versions, &[S::ED25519], |client| client);
        let error = match lacking {
            Err(error) => error,
            Ok(info) => panic!("{info:?}"),
        };
        assert_eq!(error, Incompatible::SignatureScheme.into());
    }
}

/// In TLS 1.2 the suite says how the server authenticates (RFC 8422, Section 2).
#[test]
fn in_tls12_the_suites_count_too() {
    let all: Vec<SignatureScheme> = PROVIDER.handshake_schemes12().collect();
    for (suite, expected) in [
        (
            CipherSuite::TLS12_ECDHE_RSA_AES_128_GCM_SHA256,
            SignatureScheme::RSA_PSS_RSAE_SHA256,
        ),
        (
            CipherSuite::TLS12_ECDHE_ECDSA_AES_256_GCM_SHA384,
            SignatureScheme::ECDSA_SECP256R1_SHA256,
        ),
    ] {
        let info = agree(ProtocolVersions::TLS12, &all, |client| {
            client.cipher_suites([suite])
        });
        let info = info.unwrap();
        assert_eq!(info.cipher_suite, Some(suite));
        assert_eq!(info.signature_scheme, Some(expected));
    }
}

/// RFC 8422, Section 5.3: the curve of the server's key is one of those that the client names.
#[test]
fn in_tls12_the_curves_count_too() {
    let all: Vec<SignatureScheme> = PROVIDER.handshake_schemes12().collect();
    for (groups, expected) in [
        (
            &[NamedGroup::X25519, NamedGroup::SECP256R1][..],
            SignatureScheme::ECDSA_SECP256R1_SHA256,
        ),
        (
            &[NamedGroup::SECP384R1],
            SignatureScheme::ECDSA_SECP384R1_SHA384,
        ),
        (&[NamedGroup::X25519], SignatureScheme::RSA_PSS_RSAE_SHA256),
    ] {
        let info = agree(ProtocolVersions::TLS12, &all, |client| {
            client.groups(groups.iter().copied())
        });
        assert_eq!(info.unwrap().signature_scheme, Some(expected), "{groups:?}");
    }
}

#[test]
fn a_client_shows_the_first_that_the_server_can_check_or_none() {
    use SignatureScheme as S;
    let keys = [server_key(), load(P384), load(RSA)];
    let certificates: Vec<Arc<CertifiedKey>> = keys.iter().map(certificate).collect();
    for versions in VERSIONS {
        for (scheme, expected) in [
            (S::ECDSA_SECP384R1_SHA384, Some(S::ECDSA_SECP384R1_SHA384)),
            (S::RSA_PSS_RSAE_SHA384, Some(S::RSA_PSS_RSAE_SHA384)),
            (S::ED25519, None),
        ] {
            let own: Arc<CertifiedKey> = Arc::clone(&certificates[0]);
            let server = ServerConfig::builder(checking(&[scheme]), Arc::new(own));
            let auth = ClientAuth::Optional(Arc::new(KeyIsCertificate));
            let server = server.versions(versions).client_auth(auth);
            let client = ClientConfig::builder(&PROVIDER, Arc::new(KeyIsCertificate));
            let client = client.client_certificate(Arc::new(certificates.clone()));
            let mut pair = Pair::new(client.versions(versions), server);
            pair.settle().unwrap();
            let info = pair.server.connection.info();
            assert_eq!(info.client_signature_scheme, expected, "{versions:?}");
            assert_eq!(info.client_authenticated, expected.is_some());
        }
    }
}

/// RFC 9846, Section 4.5.1.4; RFC 5246, Section 7.4.6: with nothing suitable the list is empty.
#[test]
fn a_client_does_not_show_the_only_one_if_it_does_not_fit() {
    for versions in VERSIONS {
        let own = certificate(&server_key());
        let server = ServerConfig::builder(
            checking(&[SignatureScheme::ED25519]),
            Arc::new(Arc::clone(&own)),
        );
        let auth = ClientAuth::Optional(Arc::new(KeyIsCertificate));
        let server = server.versions(versions).client_auth(auth);
        let client = ClientConfig::builder(&PROVIDER, Arc::new(KeyIsCertificate))
            .versions(versions)
            .client_certificate(Arc::new(own));
        let mut pair = Pair::new(client, server);
        pair.settle().unwrap();
        assert!(pair.client.connection.info().client_auth_requested);
        assert!(!pair.server.connection.info().client_authenticated);
    }
}
