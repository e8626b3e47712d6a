//! Certificate signing requests (PKCS#10, RFC 2986).

use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;

use waxwing_crypto::{CryptoProvider, SigningKey, SubjectPublicKeyInfo};
use x509_cert::der::asn1::{AnyRef, BitStringRef};
use x509_cert::der::oid::AssociatedOid;
use x509_cert::der::{Decode, Encode, Reader, SliceReader};
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::{ExtendedKeyUsage, SubjectAltName};
use x509_cert::request::{CertReq, ExtensionReq};

use super::IssueError;
use super::signer::Signer;
use super::template::{Purpose, Template};
use crate::identity::{CLIENT_AUTH, alt_name, printable};
use crate::pem::{self, to_pem};
use crate::tls_feature::{TLS_FEATURE, lists_status_request};
use crate::{AltName, LoadError, Pin, PublicKeyKind};

/// A request to an authority for a certificate.
///
/// ```
/// use waxwing_aws_lc::PROVIDER;
/// use waxwing_pki::{KeyType, SigningRequest, load_private_key};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let key = load_private_key(&PROVIDER, &KeyType::P256.generate()?)?;
/// let request = SigningRequest::builder(["www.example.org".parse()?]).must_staple().sign(key)?;
/// assert!(request.pem().starts_with("-----BEGIN CERTIFICATE REQUEST-----"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SigningRequest {
    der: Vec<u8>,
    subject: String,
    common_name: Option<String>,
    names: Vec<AltName>,
    spki: Vec<u8>,
    key: PublicKeyKind,
    must_staple: bool,
    for_clients: bool,
}

impl SigningRequest {
    /// Begins a request for a certificate with these names; for a server, unless told otherwise.
    pub fn builder(names: impl IntoIterator<Item = AltName>) -> SigningRequestBuilder {
        SigningRequestBuilder(Template::new(names))
    }

    /// Reads the first request in `bytes`, PEM with any text around it, or DER.
    ///
    /// # Errors
    /// If there is none, or it is malformed.
    pub fn from_pem_or_der(bytes: &[u8]) -> Result<Self, LoadError> {
        if pem::is_der(bytes) {
            return Self::decode(bytes);
        }
        let label = ["CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"];
        for label in label {
            if let Some(der) = pem::section(bytes, label)? {
                return Self::decode(&der);
            }
        }
        Err(LoadError::NoRequest(pem::describe(&pem::sections(bytes)?)))
    }

    fn decode(der: &[u8]) -> Result<Self, LoadError> {
        let bad = |error: &dyn core::fmt::Display| LoadError::BadRequest(error.to_string());
        let request = CertReq::from_der(der).map_err(|error| bad(&error))?;
        let spki = request
            .info
            .public_key
            .to_der()
            .map_err(|error| bad(&error))?;
        let key = PublicKeyKind::of_spki(&spki);
        let key = key.ok_or_else(|| bad(&"the public key is malformed"))?;
        let extensions = extensions(&request).map_err(|error| bad(&error))?;
        let names = find::<SubjectAltName>(&extensions).map_err(|error| bad(&error))?;
        let purposes = find::<ExtendedKeyUsage>(&extensions).map_err(|error| bad(&error))?;
        let subject = &request.info.subject;
        let common_name = crate::identity::parts(subject);
        let common_name = common_name.into_iter().find(|part| part.name == "CN");
        Ok(Self {
            der: der.to_vec(),
            subject: printable(&subject.to_string()),
            common_name: common_name.map(|part| part.value),
            names: names.map_or_else(Vec::new, |names| names.0.iter().map(alt_name).collect()),
            spki,
            key,
            must_staple: extensions.iter().any(|extension| {
                extension.extn_id == TLS_FEATURE
                    && lists_status_request(extension.extn_value.as_bytes()).unwrap_or(false)
            }),
            for_clients: purposes.is_some_and(|purposes| purposes.0.contains(&CLIENT_AUTH)),
        })
    }

    /// Checks that the request is signed by the key that it names: whoever sent it has that key.
    ///
    /// # Errors
    /// [`IssueError::Request`] if it is not, or `provider` cannot tell.
    pub fn check(&self, provider: &CryptoProvider) -> Result<(), IssueError> {
        let refused = |reason: &str| IssueError::Request(reason.into());
        let signed = Signed::of(&self.der).map_err(|error| refused(&error.to_string()))?;
        let key =
            SubjectPublicKeyInfo::parse(&self.spki).map_err(|_| refused("its key is malformed"))?;
        let mut outcome = Err(refused("its signature is of an unsupported kind"));
        for known in provider.signatures {
            if signed.algorithm == known.signature_algorithm && key.algorithm == known.key_algorithm
            {
                let verified = known.verifier.verify(
                    key.public_key,
                    signed.message,
                    signed.signature.raw_bytes(),
                );
                match verified {
                    Ok(()) => return Ok(()),
                    Err(_) => outcome = Err(refused("it is not signed by the key that it names")),
                }
            }
        }
        outcome
    }

    /// The request in DER.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The request in PEM.
    #[must_use]
    pub fn pem(&self) -> String {
        to_pem("CERTIFICATE REQUEST", &self.der).to_string()
    }

    /// Whom the certificate shall be about, in the form of RFC 4514; safe to print.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// The names that the certificate shall have.
    #[must_use]
    pub fn names(&self) -> &[AltName] {
        &self.names
    }

    /// The kind of its key.
    #[must_use]
    pub const fn key(&self) -> &PublicKeyKind {
        &self.key
    }

    /// The pin of its key.
    #[must_use]
    pub fn key_pin(&self) -> Pin {
        Pin::of_spki(&self.spki)
    }

    /// Whether it asks for a certificate that servers must staple (RFC 7633).
    #[must_use]
    pub const fn must_staple(&self) -> bool {
        self.must_staple
    }

    /// Whether it asks for a client's certificate.
    #[must_use]
    pub const fn for_clients(&self) -> bool {
        self.for_clients
    }

    pub(super) fn spki(&self) -> &[u8] {
        &self.spki
    }

    pub(super) fn common_name(&self) -> Option<&str> {
        self.common_name.as_deref()
    }
}

/// The parts of a CertificationRequest (RFC 2986, Section 4.2) as they were signed.
struct Signed<'a> {
    message: &'a [u8],
    /// The content of the AlgorithmIdentifier, as providers list them.
    algorithm: &'a [u8],
    signature: BitStringRef<'a>,
}

impl<'a> Signed<'a> {
    fn of(der: &'a [u8]) -> Result<Self, x509_cert::der::Error> {
        let outer = AnyRef::from_der(der)?;
        let mut fields = SliceReader::new(outer.value())?;
        Ok(Self {
            message: fields.tlv_bytes()?,
            algorithm: AnyRef::decode(&mut fields)?.value(),
            signature: BitStringRef::decode(&mut fields)?,
        })
    }
}

/// The extensions that a request asks for (RFC 2985, Section 5.4.2).
fn extensions(request: &CertReq) -> Result<Vec<Extension>, x509_cert::der::Error> {
    let mut all = Vec::new();
    for attribute in request.info.attributes.iter() {
        if attribute.oid == ExtensionReq::OID {
            for value in attribute.values.iter() {
                all.extend(value.decode_as::<ExtensionReq>()?.0);
            }
        }
    }
    Ok(all)
}

fn find<'a, T: Decode<'a, Error = x509_cert::der::Error> + AssociatedOid>(
    extensions: &'a [Extension],
) -> Result<Option<T>, x509_cert::der::Error> {
    let found = extensions
        .iter()
        .find(|extension| extension.extn_id == T::OID);
    found
        .map(|extension| T::from_der(extension.extn_value.as_bytes()))
        .transpose()
}

/// What a [`SigningRequest`] shall ask for.
#[derive(Clone, Debug)]
pub struct SigningRequestBuilder(Template);

impl SigningRequestBuilder {
    /// The common name; the first of the names unless told otherwise, if it is short enough.
    #[must_use]
    pub fn common_name(mut self, name: impl Into<String>) -> Self {
        self.0.common_name = Some(name.into());
        self
    }

    /// For a client instead of a server.
    #[must_use]
    pub const fn for_clients(mut self) -> Self {
        self.0.purpose = Purpose::Clients;
        self
    }

    /// Asks for a certificate that clients refuse without a stapled OCSP response (RFC 7633).
    #[must_use]
    pub const fn must_staple(mut self) -> Self {
        self.0.must_staple = true;
        self
    }

    /// Makes the request, signed by the key that the certificate shall be for.
    ///
    /// # Errors
    /// If there is no name, a name is not ASCII, or the key cannot be used.
    pub fn sign(&self, key: Arc<dyn SigningKey>) -> Result<SigningRequest, IssueError> {
        let params = self.0.request()?;
        let signer = Signer::new(key)?;
        let request = params
            .serialize_request(&signer)
            .map_err(IssueError::library)?;
        SigningRequest::decode(request.der())
            .map_err(|error| IssueError::Library(error.to_string()))
    }
}
