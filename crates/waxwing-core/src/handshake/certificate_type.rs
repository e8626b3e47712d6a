//! What a Certificate message holds: X.509, or a raw public key (RFC 7250).

use waxwing_crypto::SubjectPublicKeyInfo;

use crate::codec::List;
use crate::messages::CertificateType;
use crate::{CertificateError, Error, Incompatible, PeerError, Rejection};

/// What a client says of one side's certificates: which types it accepts from the server, or can
/// show itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct TypeOffer {
    x509: bool,
    raw_public_key: bool,
    /// Whether it says so in an extension, which an answer needs.
    told: bool,
}

impl TypeOffer {
    pub(super) fn read(list: Option<List<'_, CertificateType>>) -> Result<Self, Error> {
        let Some(list) = list else {
            return Ok(Self {
                x509: true,
                raw_public_key: false,
                told: false,
            });
        };
        // RFC 7250, Section 4.1: with the default alone, the extension is left out.
        if list.iter().eq([CertificateType::X509]) {
            return Err(PeerError::DefaultTypeAlone.into());
        }
        Ok(Self {
            x509: list.contains(&CertificateType::X509),
            raw_public_key: list.contains(&CertificateType::RAW_PUBLIC_KEY),
            told: true,
        })
    }

    /// The first of `ours` that is in the offer. RFC 7250, Section 4.2: there must be one.
    pub(super) fn first_of(self, ours: &[CertificateType]) -> Result<CertificateType, Error> {
        let offered = |typ: &&CertificateType| match **typ {
            CertificateType::X509 => self.x509,
            CertificateType::RAW_PUBLIC_KEY => self.raw_public_key,
            _ => false,
        };
        let found = ours.iter().find(offered);
        Ok(*found.ok_or(Incompatible::CertificateType)?)
    }

    /// The answer that tells of a choice.
    pub(super) fn answer(self, chosen: CertificateType) -> Option<CertificateType> {
        self.told.then_some(chosen)
    }
}

/// The type that a server chose from our `offer`; no answer stands for X.509.
pub(super) fn chosen(
    answer: Option<CertificateType>,
    offer: &[CertificateType],
) -> Result<CertificateType, Error> {
    match answer {
        Some(typ) if !offer.contains(&typ) => Err(PeerError::CertificateTypeNotOffered.into()),
        answer => Ok(answer.unwrap_or_default()),
    }
}

/// Checks what can be seen of a chain's type from outside: a raw public key comes alone
/// (RFC 9846, Section 4.5.1) and is a SubjectPublicKeyInfo.
pub(super) fn check(typ: CertificateType, chain: &[&[u8]]) -> Result<(), Error> {
    match (typ, chain) {
        (CertificateType::RAW_PUBLIC_KEY, [key]) => match SubjectPublicKeyInfo::parse(key) {
            Ok(_) => Ok(()),
            Err(_) => Err(Rejection::from(CertificateError::Malformed).into()),
        },
        (CertificateType::RAW_PUBLIC_KEY, [_, _, ..]) => Err(PeerError::SeveralRawKeys.into()),
        _ => Ok(()),
    }
}
