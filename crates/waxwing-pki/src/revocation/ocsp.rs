//! OCSP responses (RFC 6960): who signed them, and what they say of a certificate.
//!
//! x509-ocsp reads them, and webpki judges the responder's certificate. The signature is checked
//! over the bytes as they came.

use alloc::string::ToString;
use alloc::vec::Vec;

use der_of_ocsp::asn1::ObjectIdentifier;
use der_of_ocsp::{Decode, Encode};
use rustls_pki_types::{CertificateDer, Der, TrustAnchor};
use sha1::{Digest, Sha1};
use sha2::{Sha256, Sha384, Sha512};
use waxwing_core::limits::MAX_OCSP_RESPONDERS;
use webpki::{EndEntityCert, KeyUsage};
use x509_cert::der::Tag;
use x509_ocsp::{
    BasicOcspResponse, CertId, CertStatus, OcspResponse, OcspResponseStatus, ResponderId,
    SingleResponse,
};

use super::chain::{Link, Signer};
use super::crl::Signed;
use super::crl_set::CrlSet;
use super::der::{Fields, content, parts, wrap};
use super::outcome::{Reason, Silence, Status};
use super::signature;
use super::when::When;
use crate::UnixTime;
use crate::algorithms::Algorithms;

/// id-pkix-ocsp-basic (RFC 6960, Section 4.2.1).
const BASIC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.1.1");
/// id-pkix-ocsp-nocheck (RFC 6960, Section 4.2.2.2.1).
const NO_CHECK: x509_cert::der::asn1::ObjectIdentifier =
    x509_cert::der::asn1::ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.1.5");
/// id-kp-OCSPSigning, the content of the OBJECT IDENTIFIER (RFC 6960, Section 4.2.2.2).
const OCSP_SIGNING: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 9];
/// The extension that carries timestamps of logs (RFC 6962, Section 3.3).
const SCT_LIST: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.11129.2.4.5");

/// For how long an answer counts that does not say when the next one comes. There is then always
/// a newer one (RFC 6960, Section 4.2.2.1), so it should not be old.
const WITHOUT_NEXT_UPDATE: core::time::Duration = core::time::Duration::from_secs(24 * 60 * 60);

/// What a response is judged with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Judge<'a> {
    pub(super) algorithms: &'a Algorithms,
    /// For the certificates of responders.
    pub(super) lists: Option<&'a CrlSet>,
    pub(super) when: When<'a>,
}

/// A response that was signed by whom the issuer lets sign, about one certificate.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) status: Status,
    pub(super) this_update: UnixTime,
    /// The list of timestamps in it, if any (RFC 6962, Section 3.3).
    pub(super) scts: Option<Vec<u8>>,
}

impl Judge<'_> {
    /// What `response` says of the certificate of `link`.
    pub(super) fn answer(self, response: &[u8], link: &Link<'_>) -> Result<Answer, Silence> {
        let response = OcspResponse::from_der(response).map_err(malformed)?;
        check_success(response.response_status)?;
        let bytes = response
            .response_bytes
            .ok_or_else(|| Silence::Malformed("it is empty".into()))?;
        if bytes.response_type != BASIC {
            return Err(Silence::Malformed("it is not of the basic type".into()));
        }
        let der = bytes.response.as_bytes();
        let basic = BasicOcspResponse::from_der(der).map_err(malformed)?;
        let single = self.single(&basic, link)?;
        self.check_signer(der, &basic, link)?;
        let this_update = seconds(&single.this_update);
        self.when.has_come(this_update)?;
        Ok(Answer {
            status: self.status(single, this_update),
            this_update,
            scts: timestamps(single),
        })
    }

    /// The part about the certificate. Where there are several, one that says "revoked" counts,
    /// and then the newest.
    fn single<'r>(
        self,
        basic: &'r BasicOcspResponse,
        link: &Link<'_>,
    ) -> Result<&'r SingleResponse, Silence> {
        let data = &basic.tbs_response_data;
        let ours = data
            .responses
            .iter()
            .filter(|single| is_about(&single.cert_id, link));
        let single = ours
            .max_by_key(|single| {
                let revoked = matches!(single.cert_status, CertStatus::Revoked(_));
                (revoked, seconds(&single.this_update))
            })
            .ok_or(Silence::Missing)?;
        // RFC 6960, Section 4.4: an extension that is critical has to be understood.
        let extensions = data.response_extensions.iter().flatten();
        let own = single.single_extensions.iter().flatten();
        if extensions.chain(own).any(|extension| extension.critical) {
            return Err(Silence::Malformed(
                "it has a critical extension that is not known here".into(),
            ));
        }
        Ok(single)
    }

    fn status(self, single: &SingleResponse, this_update: UnixTime) -> Status {
        match single.cert_status {
            // What is revoked does not become good because the answer is old.
            CertStatus::Revoked(info) => Status::Revoked {
                since: Some(seconds(&info.revocation_time)),
                reason: info
                    .revocation_reason
                    .and_then(|reason| Reason::of(reason as u8)),
            },
            CertStatus::Unknown(_) => Status::Silent(Silence::Unknown),
            CertStatus::Good(_) => {
                let end = match &single.next_update {
                    Some(next) => seconds(next),
                    None => this_update.plus(WITHOUT_NEXT_UPDATE),
                };
                self.when.good_until(end)
            }
        }
    }

    /// RFC 6960, Section 4.2.2.2: signed by the issuer, or by a certificate that it issued for
    /// this purpose.
    fn check_signer(
        self,
        der: &[u8],
        basic: &BasicOcspResponse,
        link: &Link<'_>,
    ) -> Result<(), Silence> {
        let signed = Signed::of(der).map_err(malformed)?;
        let is_by = |spki: &[u8]| {
            signature::is_by(
                self.algorithms,
                spki,
                signed.algorithm,
                signed.message,
                signed.signature,
            )
        };
        let named = &basic.tbs_response_data.responder_id;
        let issuer = &link.issuer;
        let issuer_key = issuer.public_key().unwrap_or_default();
        if names(named, &issuer.name, issuer_key) && is_by(&issuer.spki) {
            return Ok(());
        }
        let mut failure = "neither its key nor a certificate for OCSP made the signature";
        for responder in certificates(der).unwrap_or_default() {
            match self.check_responder(responder, named, link) {
                Ok(spki) if is_by(spki) => return Ok(()),
                Ok(_) => {}
                Err(words) => failure = words,
            }
        }
        Err(Silence::WrongSigner(failure))
    }

    /// The key of a certificate that the issuer made for signing responses.
    fn check_responder<'r>(
        self,
        responder: &'r [u8],
        named: &ResponderId,
        link: &Link<'_>,
    ) -> Result<&'r [u8], &'static str> {
        let unreadable = "the responder's certificate cannot be read";
        let issuer = &link.issuer;
        let fields = Fields::of(responder).map_err(|_| unreadable)?;
        self.when.depends_on(&fields);
        let key = waxwing_crypto::SubjectPublicKeyInfo::parse(fields.spki);
        let key = key.map_err(|_| unreadable)?.public_key;
        if !names(named, fields.subject, key) {
            return Err("its certificate is not the one that it names");
        }
        let anchors = [anchor(issuer).ok_or(unreadable)?];
        let der = CertificateDer::from(responder);
        let certificate = EndEntityCert::try_from(&der).map_err(|_| unreadable)?;
        certificate
            .verify_for_usage(
                &self.algorithms.as_webpki(),
                &anchors,
                &[],
                self.when.now.for_webpki(),
                KeyUsage::required(OCSP_SIGNING),
                None,
                None,
            )
            .map_err(|_| {
                "the responder's certificate is not one that it issued for signing responses \
                 (RFC 6960, Section 4.2.2.2), or is expired"
            })?;
        self.check_not_revoked(responder, &fields, link)?;
        Ok(fields.spki)
    }

    /// RFC 6960, Section 4.2.2.2.1: the lists are asked unless the issuer says not to.
    fn check_not_revoked(
        self,
        responder: &[u8],
        fields: &Fields<'_>,
        link: &Link<'_>,
    ) -> Result<(), &'static str> {
        let (Some(lists), Ok(None)) = (self.lists, fields.extension(&NO_CHECK)) else {
            return Ok(());
        };
        let issued = Link::new(0, responder, link.issuer.clone());
        match issued.map(|link| lists.status(&link, self.when)) {
            Ok(Status::Revoked { .. }) => Err("the responder's certificate is revoked"),
            _ => Ok(()),
        }
    }
}

fn malformed(error: impl ToString) -> Silence {
    Silence::Malformed(error.to_string())
}

/// RFC 6960, Section 4.2.1.
const fn check_success(status: OcspResponseStatus) -> Result<(), Silence> {
    Err(Silence::Responder(match status {
        OcspResponseStatus::Successful => return Ok(()),
        OcspResponseStatus::MalformedRequest => "malformedRequest",
        OcspResponseStatus::InternalError => "internalError",
        OcspResponseStatus::TryLater => "tryLater",
        OcspResponseStatus::SigRequired => "sigRequired",
        OcspResponseStatus::Unauthorized => "unauthorized",
    }))
}

fn seconds(time: &x509_ocsp::OcspGeneralizedTime) -> UnixTime {
    UnixTime::from_seconds(time.0.to_unix_duration().as_secs())
}

/// Whether `id` means the certificate of `link` (RFC 6960, Section 4.1.1).
fn is_about(id: &CertId, link: &Link<'_>) -> bool {
    let same_serial = unpadded(id.serial_number.as_bytes()) == unpadded(link.fields.serial);
    let hash = |bytes: &[u8]| -> Option<Vec<u8>> {
        Some(match id.hash_algorithm.oid {
            SHA1 => Sha1::digest(bytes).to_vec(),
            SHA256 => Sha256::digest(bytes).to_vec(),
            SHA384 => Sha384::digest(bytes).to_vec(),
            SHA512 => Sha512::digest(bytes).to_vec(),
            _ => return None,
        })
    };
    let is_hash_of = |hashed: &[u8], bytes: &[u8]| hash(bytes).is_some_and(|hash| hash == hashed);
    same_serial
        && is_hash_of(id.issuer_name_hash.as_bytes(), &link.issuer.name)
        && link
            .issuer
            .public_key()
            .is_some_and(|key| is_hash_of(id.issuer_key_hash.as_bytes(), key))
}

const SHA1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.14.3.2.26");
const SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.1");
const SHA384: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.2");
const SHA512: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.3");

/// Without the zeros in front, which only make a number positive.
fn unpadded(serial: &[u8]) -> &[u8] {
    let zeros = serial.iter().take_while(|byte| **byte == 0).count();
    serial.get(zeros..).unwrap_or_default()
}

/// Whether `id` means the holder of this name and key (RFC 6960, Section 4.2.1).
fn names(id: &ResponderId, name: &[u8], key: &[u8]) -> bool {
    match id {
        ResponderId::ByName(named) => named.to_der().is_ok_and(|der| der == name),
        ResponderId::ByKey(hash) => Sha1::digest(key).as_slice() == hash.as_bytes(),
    }
}

fn anchor(issuer: &Signer) -> Option<TrustAnchor<'_>> {
    Some(TrustAnchor {
        subject: Der::from_slice(content(&issuer.name).ok()?),
        subject_public_key_info: Der::from_slice(content(&issuer.spki).ok()?),
        name_constraints: None,
    })
}

/// The `certs [0]` of a BasicOCSPResponse as they came.
fn certificates(basic: &[u8]) -> x509_cert::der::Result<Vec<&[u8]>> {
    let fields = parts(content(basic)?)?;
    let Some(certs) = fields.get(3) else {
        return Ok(Vec::new());
    };
    let mut certificates = parts(content(content(certs)?)?)?;
    certificates.truncate(MAX_OCSP_RESPONDERS);
    Ok(certificates)
}

fn timestamps(single: &SingleResponse) -> Option<Vec<u8>> {
    let extensions = single.single_extensions.as_ref()?;
    let list = extensions.iter().find(|one| one.extn_id == SCT_LIST)?;
    Some(list.extn_value.as_bytes().to_vec())
}

/// An OCSPRequest for the certificate of `link` (RFC 6960, Section 4.1.1), in the profile for
/// busy responders: SHA-1, one certificate, no nonce (RFC 5019, Section 2.1.1).
pub(super) fn request(link: &Link<'_>) -> x509_cert::der::Result<Vec<u8>> {
    /// `AlgorithmIdentifier` of SHA-1.
    const ALGORITHM: &[u8] = &[0x30, 9, 6, 5, 0x2b, 14, 3, 2, 26, 5, 0];
    let key = link.issuer.public_key().unwrap_or_default();
    let name_hash = wrap(Tag::OctetString, &[&Sha1::digest(&link.issuer.name)])?;
    let key_hash = wrap(Tag::OctetString, &[&Sha1::digest(key)])?;
    let serial = wrap(Tag::Integer, &[link.fields.serial])?;
    let mut der = wrap(Tag::Sequence, &[ALGORITHM, &name_hash, &key_hash, &serial])?;
    // CertID, Request, requestList, tbsRequest, OCSPRequest: one within the other.
    for _ in 0..4 {
        der = wrap(Tag::Sequence, &[&der])?;
    }
    Ok(der)
}
