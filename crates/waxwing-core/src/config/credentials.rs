//! Our own certificate and key, and choosing among several.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

#[cfg(feature = "tls12")]
use waxwing_crypto::Suite12;
use waxwing_crypto::{CipherSuite, NamedGroup, SignatureScheme, SigningKey};

use super::compression::{CertCompressor, Compressed};
use crate::codec::List;
use crate::handshake::auth::pick_scheme;
#[cfg(feature = "tls12")]
use crate::handshake::negotiate::fit12;
use crate::messages::certificate::{Stapled, Wanted};
use crate::messages::certificate_request::CertificateRequest;
#[cfg(feature = "tls12")]
use crate::messages::certificate_request12::CertificateRequest12;
use crate::messages::compressed_certificate::CompressedCertificate;
use crate::messages::extensions::{DistinguishedName, certificate_type};
use crate::messages::{
    CertificateCompressionAlgorithm, CertificateType, ClientHello, ExtensionType, ProtocolVersion,
};

/// A certificate chain and the key of its first certificate, or a key alone.
#[derive(Debug)]
pub struct CertifiedKey {
    certificate_type: CertificateType,
    chain: Vec<Vec<u8>>,
    key: Arc<dyn SigningKey>,
    ocsp: Option<Vec<u8>>,
    scts: Option<Vec<u8>>,
    compressed: Vec<Compressed>,
}

impl CertifiedKey {
    /// Joins a chain in DER, the end entity's certificate first, with its key.
    ///
    /// Whether the two match is not checked here: reading certificates is the business of
    /// `waxwing-pki`, whose loader does check it.
    #[must_use]
    pub const fn new(chain: Vec<Vec<u8>>, key: Arc<dyn SigningKey>) -> Self {
        Self {
            certificate_type: CertificateType::X509,
            chain,
            key,
            ocsp: None,
            scts: None,
            compressed: Vec::new(),
        }
    }

    /// A key that is shown without a certificate (RFC 7250), to peers that accept that and know
    /// the key already. `None` if the key cannot tell its public half.
    #[must_use]
    pub fn raw_public_key(key: Arc<dyn SigningKey>) -> Option<Self> {
        let chain = Vec::from([key.public_key()?]);
        Some(Self {
            certificate_type: CertificateType::RAW_PUBLIC_KEY,
            ..Self::new(chain, key)
        })
    }

    /// Adds an OCSP response in DER, stapled for clients that ask (RFC 6066, Section 8).
    ///
    /// What [`Self::with_compression`] made before is dropped.
    #[must_use]
    pub fn with_ocsp(mut self, response: Vec<u8>) -> Self {
        self.ocsp = Some(response);
        self.compressed = Vec::new();
        self
    }

    /// Adds signed certificate timestamps, sent to clients that ask (RFC 6962, Section 3.3.1): an
    /// encoded SignedCertificateTimestampList, with its length in front.
    ///
    /// What [`Self::with_compression`] made before is dropped.
    #[must_use]
    pub fn with_scts(mut self, list: Vec<u8>) -> Self {
        self.scts = Some(list);
        self.compressed = Vec::new();
        self
    }

    /// Compresses the certificates, once, for peers of TLS 1.3 that can decompress (RFC 8879):
    /// the first of `compressors` that the peer knows is used. One that makes the message no
    /// smaller is left out.
    ///
    /// To be called last: OCSP response and timestamps are compressed too.
    #[must_use]
    pub fn with_compression(mut self, compressors: &[&dyn CertCompressor]) -> Self {
        let mut compressed = Vec::new();
        for compressor in compressors {
            for (ocsp, scts) in [(false, false), (true, false), (false, true), (true, true)] {
                let wanted = Wanted { ocsp, scts };
                let stapled = self.stapled(wanted);
                if Wanted::of(stapled) == wanted {
                    compressed.extend(Compressed::new(*compressor, &self.chain, stapled));
                }
            }
        }
        self.compressed = compressed;
        self
    }

    /// What there is of what the peer wants.
    pub(crate) fn stapled(&self, wanted: Wanted) -> Stapled<'_> {
        Stapled {
            ocsp: self.ocsp().filter(|_| wanted.ocsp),
            scts: self.scts.as_deref().filter(|_| wanted.scts),
        }
    }

    /// The Certificate message with this, compressed in the first way that the peer knows.
    pub(crate) fn compressed(
        &self,
        stapled: Stapled<'_>,
        known: impl Fn(CertificateCompressionAlgorithm) -> bool,
    ) -> Option<CompressedCertificate<'_>> {
        let stapled = Wanted::of(stapled);
        self.compressed
            .iter()
            .find(|form| form.stapled == stapled && known(form.algorithm))
            .map(Compressed::message)
    }

    /// The encoded SignedCertificateTimestampList.
    #[must_use]
    pub fn scts(&self) -> Option<&[u8]> {
        self.scts.as_deref()
    }

    /// What this is.
    #[must_use]
    pub const fn certificate_type(&self) -> CertificateType {
        self.certificate_type
    }

    /// The chain in DER; of a raw public key its SubjectPublicKeyInfo alone.
    #[must_use]
    pub fn chain(&self) -> &[Vec<u8>] {
        &self.chain
    }

    /// The key.
    #[must_use]
    pub fn key(&self) -> &Arc<dyn SigningKey> {
        &self.key
    }

    /// The OCSP response to staple.
    #[must_use]
    pub fn ocsp(&self) -> Option<&[u8]> {
        self.ocsp.as_deref()
    }
}

/// Chooses a server's certificate after reading the ClientHello.
pub trait CertResolver: Send + Sync + fmt::Debug {
    /// Chooses.
    fn resolve(&self, hello: &ClientHelloView<'_>) -> CertChoice;
}

/// What a [`CertResolver`] or [`ClientCertResolver`] answers.
#[derive(Debug)]
pub enum CertChoice {
    /// This one.
    Use(Arc<CertifiedKey>),
    /// There is none. A server ends the handshake with `unrecognized_name`; a client goes on
    /// without a certificate.
    None,
    /// The answer will come later, through the engine's `answer`.
    Pending,
}

/// One certificate for every client.
impl CertResolver for Arc<CertifiedKey> {
    fn resolve(&self, _hello: &ClientHelloView<'_>) -> CertChoice {
        CertChoice::Use(Self::clone(self))
    }
}

/// Several certificates, the preferred one first: each client gets the first that it can use (see
/// [`ClientHelloView::can_use`]).
impl CertResolver for Vec<Arc<CertifiedKey>> {
    fn resolve(&self, hello: &ClientHelloView<'_>) -> CertChoice {
        let fits = self.iter().find(|key| hello.can_use(key));
        // Where none fits, the engine says why the first does not.
        match fits.or_else(|| self.first()) {
            Some(key) => CertChoice::Use(Arc::clone(key)),
            None => CertChoice::None,
        }
    }
}

/// Chooses a client's certificate when a server asks for one.
pub trait ClientCertResolver: Send + Sync + fmt::Debug {
    /// Chooses. [`CertChoice::None`] means to show none; whether that will do is the server's
    /// to decide.
    fn resolve(&self, request: &CertificateRequestView<'_>) -> CertChoice;
}

/// One certificate for every server that asks.
impl ClientCertResolver for Arc<CertifiedKey> {
    fn resolve(&self, _request: &CertificateRequestView<'_>) -> CertChoice {
        CertChoice::Use(Self::clone(self))
    }
}

/// Several certificates, the preferred one first: a server that asks gets the first that it can
/// use (see [`CertificateRequestView::can_use`]), or none if it can use none.
impl ClientCertResolver for Vec<Arc<CertifiedKey>> {
    fn resolve(&self, request: &CertificateRequestView<'_>) -> CertChoice {
        let fits = self.iter().find(|key| request.can_use(key));
        fits.map_or(CertChoice::None, |key| CertChoice::Use(Arc::clone(key)))
    }
}

/// What a server says when it asks for a certificate.
#[derive(Clone, Copy, Debug)]
pub struct CertificateRequestView<'a> {
    version: ProtocolVersion,
    certificate_type: CertificateType,
    schemes: List<'a, SignatureScheme>,
    certificate_schemes: List<'a, SignatureScheme>,
    authorities: List<'a, DistinguishedName<'a>>,
    /// What TLS 1.2 says of kinds of keys.
    #[cfg(feature = "tls12")]
    kinds: Option<CertificateRequest12<'a>>,
}

impl<'a> CertificateRequestView<'a> {
    pub(crate) fn tls13(
        request: &CertificateRequest<'a>,
        certificate_type: CertificateType,
    ) -> Self {
        Self {
            version: ProtocolVersion::TLS13,
            certificate_type,
            schemes: request.signature_algorithms,
            certificate_schemes: request
                .signature_algorithms_cert
                .unwrap_or(request.signature_algorithms),
            authorities: request.certificate_authorities.unwrap_or_default(),
            #[cfg(feature = "tls12")]
            kinds: None,
        }
    }

    #[cfg(feature = "tls12")]
    pub(crate) const fn tls12(
        request: &CertificateRequest12<'a>,
        certificate_type: CertificateType,
    ) -> Self {
        Self {
            version: ProtocolVersion::TLS12,
            certificate_type,
            schemes: request.signature_algorithms,
            certificate_schemes: request.signature_algorithms,
            authorities: request.certificate_authorities,
            kinds: Some(*request),
        }
    }

    /// Whether this certificate is of the type that was agreed on, and its key can sign so that
    /// the server can check it. Signatures within the chain are not looked at, and neither are
    /// authorities.
    #[must_use]
    pub fn can_use(&self, key: &CertifiedKey) -> bool {
        if key.certificate_type() != self.certificate_type {
            return false;
        }
        let schemes = key.key().schemes();
        #[cfg(feature = "tls12")]
        if let Some(request) = &self.kinds {
            return schemes.iter().any(|scheme| request.allows(*scheme));
        }
        pick_scheme(schemes, |scheme| self.schemes.contains(&scheme)).is_some()
    }

    /// The version of the connection.
    #[must_use]
    pub const fn version(&self) -> ProtocolVersion {
        self.version
    }

    /// The type of certificate that was agreed on (RFC 7250); the server takes no other.
    #[must_use]
    pub const fn certificate_type(&self) -> CertificateType {
        self.certificate_type
    }

    /// The kinds of keys that a server of TLS 1.2 can check, by the numbers of its
    /// `certificate_types` (RFC 5246, Section 7.4.4): 1 for RSA, 64 for ECDSA and EdDSA. Empty in
    /// TLS 1.3.
    ///
    /// [`Self::can_use`] respects them. They have nothing to do with [`Self::certificate_type`].
    #[must_use]
    pub fn tls12_certificate_types(&self) -> &'a [u8] {
        #[cfg(feature = "tls12")]
        if let Some(request) = self.kinds {
            return request.certificate_types;
        }
        &[]
    }

    /// The signature schemes that the server can check, in its order.
    pub fn signature_schemes(&self) -> impl Iterator<Item = SignatureScheme> + use<'a> {
        self.schemes.iter()
    }

    /// The signature schemes that the server can check in certificates, in its order.
    pub fn certificate_signature_schemes(&self) -> impl Iterator<Item = SignatureScheme> + use<'a> {
        self.certificate_schemes.iter()
    }

    /// The distinguished names, in DER, of the authorities whose certificates the server
    /// accepts, if it says.
    pub fn certificate_authorities(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        self.authorities.iter().map(|name| name.0)
    }
}

/// What a client says in its ClientHello. Everything in it is the client's claim.
#[derive(Clone, Copy, Debug)]
pub struct ClientHelloView<'a> {
    hello: ClientHello<'a>,
    body: &'a [u8],
    settled: Settled<'a>,
}

/// What a server settled before it chooses a certificate.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Settled<'a> {
    /// Nothing yet: the hello comes before the configuration.
    Nothing,
    Tls13,
    /// These suites are left, and the certificate decides among them.
    #[cfg(feature = "tls12")]
    Tls12(&'a [&'static Suite12]),
    #[cfg(not(feature = "tls12"))]
    #[expect(dead_code, reason = "only TLS 1.2 has something to refer to")]
    Never(&'a core::convert::Infallible),
}

impl<'a> ClientHelloView<'a> {
    pub(crate) const fn new(hello: ClientHello<'a>, body: &'a [u8], settled: Settled<'a>) -> Self {
        Self {
            hello,
            body,
            settled,
        }
    }

    /// The version that the connection will have; `None` if the hello is looked at before there
    /// is a configuration.
    #[must_use]
    pub const fn version(&self) -> Option<ProtocolVersion> {
        match self.settled {
            Settled::Tls13 => Some(ProtocolVersion::TLS13),
            #[cfg(feature = "tls12")]
            Settled::Tls12(_) => Some(ProtocolVersion::TLS12),
            _ => None,
        }
    }

    /// Whether the client accepts this type of certificate, and can check what the key signs, in
    /// the version that the connection will have.
    ///
    /// Signatures within the chain are not looked at: a client that cannot check those may still
    /// know one of its certificates.
    #[must_use]
    pub fn can_use(&self, key: &CertifiedKey) -> bool {
        let mut types = self.server_certificate_types();
        if !types.any(|accepted| accepted == key.certificate_type()) {
            return false;
        }
        let schemes = key.key().schemes();
        let known = |scheme| self.signature_schemes().any(|theirs| theirs == scheme);
        match self.settled {
            Settled::Tls13 => pick_scheme(schemes, known).is_some(),
            #[cfg(feature = "tls12")]
            Settled::Tls12(suites) => {
                let groups = self.hello.extensions.supported_groups;
                let curve = |name| groups.is_none_or(|groups| groups.contains(&name));
                fit12(suites, schemes, known, curve).is_ok()
            }
            _ => schemes.iter().any(|scheme| known(*scheme)),
        }
    }

    /// The host name of `server_name`, unless it is absent or not a DNS name. Its case is the
    /// client's.
    #[must_use]
    pub fn server_name(&self) -> Option<&'a str> {
        core::str::from_utf8(self.hello.extensions.server_name?).ok()
    }

    /// The protocols of ALPN, in the client's order.
    pub fn alpn(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        self.hello
            .extensions
            .alpn
            .unwrap_or_default()
            .iter()
            .map(|name| name.0)
    }

    /// The protocol versions, in the client's order. Empty for clients that only know TLS 1.2.
    pub fn versions(&self) -> impl Iterator<Item = ProtocolVersion> + use<'a> {
        self.hello
            .extensions
            .supported_versions
            .unwrap_or_default()
            .iter()
    }

    /// The cipher suites, in the client's order.
    pub fn cipher_suites(&self) -> impl Iterator<Item = CipherSuite> + use<'a> {
        self.hello.cipher_suites.iter()
    }

    /// The key exchange groups, in the client's order.
    pub fn groups(&self) -> impl Iterator<Item = NamedGroup> + use<'a> {
        self.hello
            .extensions
            .supported_groups
            .unwrap_or_default()
            .iter()
    }

    /// The signature schemes that the client can check, in its order.
    pub fn signature_schemes(&self) -> impl Iterator<Item = SignatureScheme> + use<'a> {
        self.hello
            .extensions
            .signature_algorithms
            .unwrap_or_default()
            .iter()
    }

    /// The signature schemes that the client can check in certificates, in its order: those of
    /// `signature_algorithms_cert`, or of `signature_algorithms` where it does not tell them
    /// apart (RFC 9846, Section 4.3.3).
    pub fn certificate_signature_schemes(&self) -> impl Iterator<Item = SignatureScheme> + use<'a> {
        let extensions = &self.hello.extensions;
        let list = extensions
            .signature_algorithms_cert
            .or(extensions.signature_algorithms);
        list.unwrap_or_default().iter()
    }

    /// The types of certificate that the client accepts, in its order: X.509 if it does not say
    /// (RFC 7250, Section 4.1).
    pub fn server_certificate_types(&self) -> impl Iterator<Item = CertificateType> + use<'a> {
        certificate_type::or_default(self.hello.extensions.server_certificate_types)
    }

    /// The types of certificate that the client could show if it is asked for one, in its order:
    /// X.509 if it does not say.
    pub fn client_certificate_types(&self) -> impl Iterator<Item = CertificateType> + use<'a> {
        certificate_type::or_default(self.hello.extensions.client_certificate_types)
    }

    /// The distinguished names, in DER, of the authorities that the client trusts, if it says.
    pub fn certificate_authorities(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        self.hello
            .extensions
            .certificate_authorities
            .unwrap_or_default()
            .iter()
            .map(|name| name.0)
    }

    /// The extensions as they came: type and content, in the client's order.
    pub fn extensions(&self) -> impl Iterator<Item = (ExtensionType, &'a [u8])> + use<'a> {
        self.hello.extensions.types()
    }

    /// The body of the message, without its handshake header.
    #[must_use]
    pub const fn as_bytes(&self) -> &'a [u8] {
        self.body
    }
}
