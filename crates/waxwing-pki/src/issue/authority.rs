//! A small certificate authority, for development and for mutual TLS among one's own.

use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DistinguishedName, DnType, DnValue,
    GeneralSubtree, IsCa, Issuer, KeyIdMethod, KeyUsagePurpose, NameConstraints, SerialNumber,
};
use waxwing_crypto::{CryptoProvider, KeyEncoding, SigningKey};
use x509_cert::Certificate;
use x509_cert::der::asn1::Any;
use x509_cert::der::{Decode, Encode, Tag, Tagged};
use x509_cert::name::Name;
use zeroize::Zeroizing;

use super::leaf::LeafBuilder;
use super::signer::{Signer, Subject};
use super::template::{Purpose, checked_common_name, serial, set_dates};
use super::{IssueError, Issued, KeyType, SigningRequest};
use crate::pem::to_pem;
use crate::{AltName, Identity, UnixTime};

/// Ten years: replacing what clients trust is work at every one of them.
const DEFAULT_VALIDITY: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);

/// A root that issues certificates for servers and clients directly.
///
/// ```
/// use waxwing_aws_lc::PROVIDER;
/// use waxwing_pki::LocalAuthority;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let authority = LocalAuthority::builder("Development").issue(&PROVIDER)?;
/// let server = authority.leaf(["localhost".parse()?]).issue(&PROVIDER)?;
/// let client = authority.leaf(["me@example.org".parse()?]).for_clients().issue(&PROVIDER)?;
/// # let _ = (server, client);
/// # Ok(())
/// # }
/// ```
pub struct LocalAuthority {
    certificate: Vec<u8>,
    /// The PKCS#8 of its key, if it was made here.
    pkcs8: Option<Zeroizing<Vec<u8>>>,
    issuer: Issuer<'static, Signer>,
    /// Its subject in DER.
    subject: Vec<u8>,
    not_after: UnixTime,
    /// Whether it has a key identifier, which what it issues refers to.
    identified: bool,
}

impl LocalAuthority {
    /// Begins a new authority with this common name.
    pub fn builder(name: impl Into<String>) -> LocalAuthorityBuilder {
        LocalAuthorityBuilder {
            name: name.into(),
            key_type: KeyType::default(),
            not_before: None,
            validity: DEFAULT_VALIDITY,
            permitted: Vec::new(),
        }
    }

    /// Takes up an authority again: its certificate in DER, and its key.
    ///
    /// # Errors
    /// If the certificate cannot be read or is no authority's, or the key is not its own.
    pub fn new(certificate: &[u8], key: Arc<dyn SigningKey>) -> Result<Self, IssueError> {
        let identity = Identity::from_der(certificate)
            .map_err(|error| IssueError::Library(error.to_string()))?;
        let may_sign = identity
            .extensions
            .key_usage
            .as_ref()
            .is_none_or(|usage| usage.contains(&"keyCertSign"));
        if !identity.authority || !may_sign {
            return Err(IssueError::NoAuthority(identity.label()));
        }
        if key.public_key().as_ref() != Some(&identity.spki) {
            return Err(IssueError::AuthorityKey);
        }
        let unreadable = |error: x509_cert::der::Error| IssueError::Library(error.to_string());
        let decoded = Certificate::from_der(certificate).map_err(unreadable)?;
        let name = decoded.tbs_certificate().subject();
        let mut params = CertificateParams::default();
        params.distinguished_name = distinguished_name(name)?;
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let key_id = identity.extensions.subject_key_id.as_deref();
        let key_id = key_id.and_then(|id| hex::decode(id).ok());
        let identified = key_id.is_some();
        if let Some(id) = key_id {
            params.key_identifier_method = KeyIdMethod::PreSpecified(id);
        }
        Ok(Self {
            certificate: certificate.to_vec(),
            pkcs8: None,
            issuer: Issuer::new(params, Signer::new(key)?),
            subject: name.to_der().map_err(unreadable)?,
            not_after: identity.not_after,
            identified,
        })
    }

    /// Its certificate in DER: what clients, or servers, have to trust.
    #[must_use]
    pub fn certificate(&self) -> &[u8] {
        &self.certificate
    }

    /// Its certificate in PEM.
    #[must_use]
    pub fn certificate_pem(&self) -> String {
        to_pem("CERTIFICATE", &self.certificate).to_string()
    }

    /// Its private key in PKCS#8 DER, unencrypted; `None` if it was not made by this value.
    #[must_use]
    pub fn key(&self) -> Option<&[u8]> {
        self.pkcs8.as_deref().map(Vec::as_slice)
    }

    /// Begins a certificate with these names; for a server, unless told otherwise.
    pub fn leaf(&self, names: impl IntoIterator<Item = AltName>) -> LeafBuilder<&Self> {
        LeafBuilder::new(self, names)
    }

    /// Begins a certificate with what a request asks for; see [`LeafBuilder::issue_for`].
    pub fn leaf_for(&self, request: &SigningRequest) -> LeafBuilder<&Self> {
        let mut leaf = self.leaf(request.names().iter().cloned());
        leaf.template.common_name = request.common_name().map(Into::into);
        leaf.template.must_staple = request.must_staple();
        if request.for_clients() {
            leaf.template.purpose = Purpose::Clients;
        }
        leaf
    }
}

impl fmt::Debug for LocalAuthority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalAuthority")
            .field("certificate", &hex::encode(&self.certificate))
            .finish_non_exhaustive()
    }
}

/// What a new [`LocalAuthority`] shall be like.
#[derive(Clone, Debug)]
pub struct LocalAuthorityBuilder {
    name: String,
    key_type: KeyType,
    not_before: Option<UnixTime>,
    validity: Duration,
    permitted: Vec<AltName>,
}

impl LocalAuthorityBuilder {
    /// The kind of key; ECDSA on P-256 unless told otherwise.
    #[must_use]
    pub const fn key_type(mut self, key_type: KeyType) -> Self {
        self.key_type = key_type;
        self
    }

    /// When its validity begins; one hour ago unless told otherwise.
    #[must_use]
    pub const fn valid_from(mut self, not_before: UnixTime) -> Self {
        self.not_before = Some(not_before);
        self
    }

    /// How long it is valid; ten years unless told otherwise.
    #[must_use]
    pub const fn valid_for(mut self, validity: Duration) -> Self {
        self.validity = validity;
        self
    }

    /// Allows it to issue for these domains with all below them, and for these addresses, and for
    /// nothing else (RFC 5280, Section 4.2.1.10): whoever steals its key can do no more with it.
    #[must_use]
    pub fn only_for(mut self, names: impl IntoIterator<Item = AltName>) -> Self {
        self.permitted.extend(names);
        self
    }

    /// Makes the key and the certificate.
    ///
    /// # Errors
    /// If the name is too long, the dates cannot be expressed, or the cryptography library fails.
    pub fn issue(&self, provider: &CryptoProvider) -> Result<LocalAuthority, IssueError> {
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        let name = checked_common_name(&self.name)?;
        params.distinguished_name.push(DnType::CommonName, name);
        params.serial_number = Some(SerialNumber::from(serial(provider.random)?));
        set_dates(&mut params, self.not_before, self.validity, None)?;
        // It issues for end entities alone.
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        if !self.permitted.is_empty() {
            params.name_constraints = Some(NameConstraints {
                permitted_subtrees: self
                    .permitted
                    .iter()
                    .map(subtree)
                    .collect::<Result<_, _>>()?,
                excluded_subtrees: Vec::new(),
            });
        }
        let (pkcs8, key) = new_key(self.key_type, provider)?;
        let signer = Signer::new(Arc::clone(&key))?;
        let certificate = params.self_signed(&signer).map_err(IssueError::library)?;
        let authority = LocalAuthority::new(certificate.der(), key)?;
        Ok(LocalAuthority {
            pkcs8: Some(pkcs8),
            ..authority
        })
    }
}

impl LeafBuilder<&LocalAuthority> {
    /// Clients refuse it without a stapled OCSP response (RFC 7633).
    #[must_use]
    pub fn must_staple(mut self) -> Self {
        self.template.must_staple = true;
        self
    }

    /// Makes a key, and a certificate for it.
    ///
    /// # Errors
    /// If there is no name, a name is not ASCII, the dates cannot be expressed, or the
    /// cryptography library fails.
    pub fn issue(&self, provider: &CryptoProvider) -> Result<Issued, IssueError> {
        let (pkcs8, key) = new_key(self.key_type, provider)?;
        let spki = key.public_key().ok_or(IssueError::Key(None))?;
        Ok(Issued::new(self.certify(&spki, provider)?, pkcs8))
    }

    /// Makes a certificate (DER) for the key of `request`, if that is signed by it.
    ///
    /// # Errors
    /// [`IssueError::Request`] if it is not; and those of [`Self::issue`].
    pub fn issue_for(
        &self,
        request: &SigningRequest,
        provider: &CryptoProvider,
    ) -> Result<Vec<u8>, IssueError> {
        request.check(provider)?;
        self.certify(request.spki(), provider)
    }

    fn certify(&self, spki: &[u8], provider: &CryptoProvider) -> Result<Vec<u8>, IssueError> {
        let authority = self.issuer;
        let mut params = self
            .template
            .leaf(provider.random, Some(authority.not_after))?;
        params.use_authority_key_identifier_extension = authority.identified;
        let subject = Subject::of_spki(spki)?;
        let certificate = params.signed_by(&subject, &authority.issuer);
        let certificate = certificate.map_err(IssueError::library)?.der().to_vec();
        // The library writes the issuer's name anew. If that gave other bytes, no client would
        // find the authority by it.
        let issuer = Certificate::from_der(&certificate)
            .and_then(|made| made.tbs_certificate().issuer().to_der());
        match issuer {
            Ok(issuer) if issuer == authority.subject => Ok(certificate),
            _ => Err(IssueError::Library(
                "the authority's name cannot be written again as it is".into(),
            )),
        }
    }
}

type NewKey = (Zeroizing<Vec<u8>>, Arc<dyn SigningKey>);

fn new_key(key_type: KeyType, provider: &CryptoProvider) -> Result<NewKey, IssueError> {
    let pkcs8 = key_type.generate()?;
    let key = provider.keys.load(KeyEncoding::Pkcs8, &pkcs8)?;
    Ok((pkcs8, key))
}

fn subtree(name: &AltName) -> Result<GeneralSubtree, IssueError> {
    match name {
        // A constraint covers what is below it; a wildcard has no meaning in one.
        AltName::Dns(text) if !text.starts_with('*') => Ok(GeneralSubtree::DnsName(text.clone())),
        AltName::Ip(address) => {
            let bits = if address.is_ipv4() { 32 } else { 128 };
            let subnet = CidrSubnet::from_addr_prefix(*address, bits);
            Ok(GeneralSubtree::IpAddress(subnet))
        }
        other => Err(IssueError::Name(other.clone())),
    }
}

/// The name in the library's form.
fn distinguished_name(name: &Name) -> Result<DistinguishedName, IssueError> {
    let mut written = DistinguishedName::new();
    for attribute in name.iter() {
        let arcs: Vec<u64> = attribute.oid.arcs().map(u64::from).collect();
        written.push(DnType::from_oid(&arcs), text(&attribute.value)?);
    }
    Ok(written)
}

fn text(value: &Any) -> Result<DnValue, IssueError> {
    let unsupported = || IssueError::Library("the authority's name is of an odd kind".into());
    let text = core::str::from_utf8(value.value()).map_err(|_| unsupported())?;
    match value.tag() {
        Tag::Utf8String => Ok(DnValue::Utf8String(text.into())),
        Tag::PrintableString => text.try_into().map(DnValue::PrintableString),
        Tag::Ia5String => text.try_into().map(DnValue::Ia5String),
        _ => return Err(unsupported()),
    }
    .map_err(|_: rcgen::Error| unsupported())
}
