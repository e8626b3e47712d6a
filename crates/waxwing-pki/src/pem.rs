//! Reading PEM (RFC 7468) or DER, whichever it is.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::{Error, PemObject, SectionKind};
use zeroize::Zeroizing;

use crate::LoadError;

/// One labelled part of a PEM text. It may be a private key, so it is erased on drop.
pub(crate) struct Section {
    pub(crate) kind: SectionKind,
    pub(crate) der: Zeroizing<Vec<u8>>,
}

/// All sections of the kinds that matter to TLS; text around them is ignored.
pub(crate) fn sections(text: &[u8]) -> Result<Vec<Section>, LoadError> {
    // Some editors put a byte order mark first, and the first marker must begin its line.
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    <(SectionKind, Vec<u8>)>::pem_slice_iter(text)
        .map(|section| {
            let (kind, der) = section.map_err(|error| LoadError::Pem(in_words(&error)))?;
            Ok(Section {
                kind,
                der: Zeroizing::new(der),
            })
        })
        .collect()
}

/// The first section with this label, which the library has no word for.
pub(crate) fn section(text: &[u8], label: &str) -> Result<Option<Zeroizing<Vec<u8>>>, LoadError> {
    let begin = format!("-----BEGIN {label}-----");
    let end = format!("-----END {label}-----");
    let Some(start) = position(text, begin.as_bytes()) else {
        return Ok(None);
    };
    let body = text.get(start + begin.len()..).unwrap_or_default();
    let length = position(body, end.as_bytes())
        .ok_or_else(|| LoadError::Pem(format!("the line {end} is missing")))?;
    let digits: Vec<u8> = body
        .iter()
        .take(length)
        .copied()
        .filter(|byte| !byte.is_ascii_whitespace())
        .collect();
    match BASE64_STANDARD.decode(digits) {
        Ok(der) => Ok(Some(Zeroizing::new(der))),
        Err(error) => Err(LoadError::Pem(format!("the base64 is wrong ({error})"))),
    }
}

/// Whether this is a DER structure rather than text.
pub(crate) fn is_der(bytes: &[u8]) -> bool {
    const SEQUENCE: u8 = 0x30;
    // Text may begin with this byte too: it is the digit 0.
    bytes.first() == Some(&SEQUENCE) && !contains(bytes, b"-----BEGIN ")
}

/// The certificates in DER: one if `bytes` is DER, else all of the PEM text. Never empty.
pub(crate) fn certificates(bytes: &[u8]) -> Result<Vec<CertificateDer<'static>>, LoadError> {
    if is_der(bytes) {
        return Ok(vec![CertificateDer::from(bytes.to_owned())]);
    }
    let sections = sections(bytes)?;
    let found: Vec<_> = sections
        .iter()
        .filter(|section| section.kind == SectionKind::Certificate)
        .map(|section| CertificateDer::from(section.der.to_vec()))
        .collect();
    if found.is_empty() {
        return Err(LoadError::NoCertificate(describe(&sections)));
    }
    Ok(found)
}

/// What the first section is, in words.
pub(crate) fn describe(sections: &[Section]) -> Option<&'static str> {
    sections.first().map(|section| match section.kind {
        SectionKind::Certificate => "a certificate",
        SectionKind::PublicKey => "a public key",
        SectionKind::RsaPrivateKey | SectionKind::PrivateKey | SectionKind::EcPrivateKey => {
            "a private key"
        }
        SectionKind::Crl => "a revocation list",
        SectionKind::Csr => "a certificate signing request",
        SectionKind::EchConfigList => "an ECH configuration",
        _ => "something else",
    })
}

pub(crate) fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    position(haystack, needle).is_some()
}

fn position(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack
        .windows(needle.len())
        .position(|window| window == needle)
}

fn in_words(error: &Error) -> String {
    match error {
        Error::MissingSectionEnd { end_marker } => format!(
            "the line -----END {}----- is missing",
            String::from_utf8_lossy(end_marker)
        ),
        Error::IllegalSectionStart { line } => {
            format!(
                "{:?} is no line to begin with",
                String::from_utf8_lossy(line)
            )
        }
        Error::Base64Decode(reason) => format!("the base64 is wrong ({reason})"),
        other => other.to_string(),
    }
}

/// Writes `der` as PEM (RFC 7468, Section 2) under `label`, such as `CERTIFICATE` or
/// `PRIVATE KEY`.
#[must_use]
pub fn to_pem(label: &str, der: &[u8]) -> Zeroizing<String> {
    const LINE: usize = 64;
    let body = Zeroizing::new(BASE64_STANDARD.encode(der));
    let mut rest: &str = &body;
    let framing = 2 * ("-----BEGIN -----\n".len() + label.len());
    // Reserved at once, so that growing leaves no copies of a key behind.
    let mut pem = String::with_capacity(framing + body.len() + body.len().div_ceil(LINE));
    pem.push_str("-----BEGIN ");
    pem.push_str(label);
    pem.push_str("-----\n");
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(LINE));
        pem.push_str(line);
        pem.push('\n');
        rest = after;
    }
    pem.push_str("-----END ");
    pem.push_str(label);
    pem.push_str("-----\n");
    Zeroizing::new(pem)
}
