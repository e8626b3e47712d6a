//! What certificates have in common, however they come about.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::time::Duration;

use rcgen::{
    CertificateParams, CustomExtension, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyUsagePurpose, SanType, SerialNumber, date_time_ymd,
};
use waxwing_crypto::{CryptoError, SecureRandom};

use super::IssueError;
use crate::{AltName, UnixTime};

/// How long a certificate of a server may be valid for all browsers: Safari and others refuse
/// longer ones even where an administrator installed the authority.
pub const MAX_BROWSER_VALIDITY: Duration = Duration::from_secs(398 * DAY);
const DAY: u64 = 24 * 60 * 60;
pub(super) const DEFAULT_VALIDITY: Duration = Duration::from_secs(365 * DAY);
/// Clocks of clients may be a little slow.
const BACKDATE: Duration = Duration::from_secs(60 * 60);
/// The last second that a certificate can express (RFC 5280, Section 4.1.2.5.2).
const LAST_SECOND: u64 = 253_402_300_799;
/// RFC 5280, Section 4.1.2.2: at most 20 bytes.
const SERIAL_LEN: usize = 20;
/// RFC 5280, Appendix A.1, ub-common-name.
const MAX_COMMON_NAME: usize = 64;
/// id-pe-tlsfeature with status_request (RFC 7633, Section 6).
const MUST_STAPLE: (&[u64], [u8; 5]) = (&[1, 3, 6, 1, 5, 5, 7, 1, 24], [0x30, 3, 2, 1, 5]);

/// What the certificate is for (RFC 5280, Section 4.2.1.12).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Purpose {
    #[default]
    Servers,
    Clients,
    Both,
}

impl Purpose {
    fn usages(self) -> Vec<ExtendedKeyUsagePurpose> {
        use ExtendedKeyUsagePurpose::{ClientAuth, ServerAuth};
        match self {
            Self::Servers => vec![ServerAuth],
            Self::Clients => vec![ClientAuth],
            Self::Both => vec![ServerAuth, ClientAuth],
        }
    }
}

/// What the user decides about a certificate or a request.
#[derive(Clone, Debug, Default)]
pub(super) struct Template {
    pub(super) names: Vec<AltName>,
    pub(super) common_name: Option<String>,
    pub(super) purpose: Purpose,
    pub(super) must_staple: bool,
    pub(super) not_before: Option<UnixTime>,
    pub(super) validity: Option<Duration>,
}

impl Template {
    pub(super) fn new(names: impl IntoIterator<Item = AltName>) -> Self {
        Self {
            names: names.into_iter().collect(),
            ..Self::default()
        }
    }

    /// The parameters of an end entity's certificate that lasts until `end` at most.
    pub(super) fn leaf(
        &self,
        random: &dyn SecureRandom,
        end: Option<UnixTime>,
    ) -> Result<CertificateParams, IssueError> {
        let mut params = self.asked()?;
        params.serial_number = Some(SerialNumber::from(serial(random)?));
        let validity = self.validity.unwrap_or(DEFAULT_VALIDITY);
        set_dates(&mut params, self.not_before, validity, end)?;
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = self.purpose.usages();
        Ok(params)
    }

    /// The parameters of a signing request. Keys may do what the authority says, so it asks for
    /// a purpose only where that is not a server's.
    pub(super) fn request(&self) -> Result<CertificateParams, IssueError> {
        let mut params = self.asked()?;
        params.is_ca = IsCa::NoCa;
        if self.purpose != Purpose::Servers {
            params.extended_key_usages = self.purpose.usages();
        }
        Ok(params)
    }

    /// Names, subject and TLS features.
    fn asked(&self) -> Result<CertificateParams, IssueError> {
        let mut params = CertificateParams::default();
        params.subject_alt_names = self.subject_alt_names()?;
        params.distinguished_name = self.subject()?;
        if self.must_staple {
            let (id, content) = MUST_STAPLE;
            let feature = CustomExtension::from_oid_content(id, content.to_vec());
            params.custom_extensions.push(feature);
        }
        Ok(params)
    }

    fn subject_alt_names(&self) -> Result<Vec<SanType>, IssueError> {
        // A client may go by its subject alone.
        if self.names.is_empty() && (self.purpose != Purpose::Clients || self.common_name.is_none())
        {
            return Err(IssueError::NoName);
        }
        self.names.iter().map(general_name).collect()
    }

    /// For people, and for servers' hints: clients look at subjectAltName alone. Without one,
    /// subjectAltName is critical (RFC 5280, Section 4.1.2.6).
    fn subject(&self) -> Result<DistinguishedName, IssueError> {
        let mut subject = DistinguishedName::new();
        if let Some(name) = &self.common_name {
            subject.push(DnType::CommonName, checked_common_name(name)?);
        } else if let Some(first) = self.names.first().map(ToString::to_string)
            && checked_common_name(&first).is_ok()
        {
            subject.push(DnType::CommonName, first);
        }
        Ok(subject)
    }
}

/// A common name of a length that everyone takes.
pub(super) fn checked_common_name(name: &str) -> Result<&str, IssueError> {
    if name.is_empty() || name.chars().count() > MAX_COMMON_NAME {
        return Err(IssueError::CommonName);
    }
    Ok(name)
}

fn general_name(name: &AltName) -> Result<SanType, IssueError> {
    let ascii = |text: &String| {
        text.as_str()
            .try_into()
            .map_err(|_| IssueError::Name(name.clone()))
    };
    Ok(match name {
        AltName::Dns(text) => SanType::DnsName(ascii(text)?),
        AltName::Email(text) => SanType::Rfc822Name(ascii(text)?),
        AltName::Uri(text) => SanType::URI(ascii(text)?),
        AltName::Ip(address) => SanType::IpAddress(*address),
        AltName::Other(_) => return Err(IssueError::Name(name.clone())),
    })
}

/// From `not_before`, or an hour ago, for `validity`, but not beyond `end`.
pub(super) fn set_dates(
    params: &mut CertificateParams,
    not_before: Option<UnixTime>,
    validity: Duration,
    end: Option<UnixTime>,
) -> Result<(), IssueError> {
    let not_before = match not_before {
        Some(time) => time,
        None => UnixTime::now().ok_or(IssueError::Dates)?.minus(BACKDATE),
    };
    let wanted = not_before.plus(validity);
    let not_after = end.map_or(wanted, |end| wanted.min(end));
    if not_after.seconds() > LAST_SECOND || not_after < not_before {
        return Err(IssueError::Dates);
    }
    let epoch = date_time_ymd(1970, 1, 1);
    params.not_before = epoch + Duration::from_secs(not_before.seconds());
    params.not_after = epoch + Duration::from_secs(not_after.seconds());
    Ok(())
}

/// A positive number of exactly 20 bytes (RFC 5280, Section 4.1.2.2), 158 bits of it random.
pub(super) fn serial(random: &dyn SecureRandom) -> Result<Vec<u8>, CryptoError> {
    let mut serial = vec![0; SERIAL_LEN];
    random.fill(&mut serial)?;
    if let Some(first) = serial.first_mut() {
        *first = (*first & 0x3f) | 0x40;
    }
    Ok(serial)
}
