//! What was agreed, as bytes.

use alloc::boxed::Box;
use alloc::vec::Vec;

use waxwing_crypto::{NamedGroup, SignatureScheme};

use super::ImportError;
use super::keys::{self, Suite};
use crate::codec::{Reader, Writer};
use crate::error::Problem;
use crate::limits::MAX_CHAIN;
use crate::messages::CertificateType;
use crate::{ConnectionInfo, DnsName, EarlyDataStatus, Error, Exporter, Note};

const RETRIED: u8 = 1;
const EXTENDED_MAIN_SECRET: u8 = 2;
const SECURE_RENEGOTIATION: u8 = 4;
const CLIENT_AUTH_REQUESTED: u8 = 8;
const CLIENT_AUTHENTICATED: u8 = 16;
const RESUMED: u8 = 32;
const KNOWN_FLAGS: u8 = 63;

/// Bytes of all that can grow, at most.
pub(super) fn size(info: &ConnectionInfo) -> usize {
    let chain = info.peer_chain.iter().map(|certificate| {
        certificate.len().saturating_add(3) // and its length
    });
    let others = [
        info.alpn.as_ref().map_or(0, |name| name.len()),
        info.server_name
            .as_ref()
            .map_or(0, |name| name.as_str().len()),
        info.ocsp.as_ref().map_or(0, |response| response.len()),
        info.scts.as_ref().map_or(0, |list| list.len()),
        info.psk_identity.as_ref().map_or(0, |name| name.len()),
    ];
    chain
        .chain(others)
        .fold(0, |sum: usize, len| sum.saturating_add(len))
}

pub(super) fn write(info: &ConnectionInfo, writer: &mut Writer<'_>) -> Result<(), Error> {
    // Named one by one: a new field has to be thought of here.
    let ConnectionInfo {
        version: _,      // with the keys
        cipher_suite: _, // with the keys
        group,
        server_certificate_type,
        client_certificate_type,
        signature_scheme,
        client_signature_scheme,
        alpn,
        server_name,
        resumed,
        psk_identity,
        early_data,
        retried,
        extended_main_secret,
        secure_renegotiation,
        client_auth_requested,
        client_authenticated,
        post_handshake_auth: _, // ends here
        peer_chain,
        ocsp,
        scts,
        peer_note: _,      // no bytes
        early_exporter: _, // for the handshake
        exporter,
    } = info;
    writer.u16(group.map_or(0, |group| group.0));
    writer.u8(server_certificate_type.0);
    writer.u8(client_certificate_type.0);
    writer.u16(signature_scheme.map_or(0, |scheme| scheme.0));
    writer.u16(client_signature_scheme.map_or(0, |scheme| scheme.0));
    writer.u8(keys::set(&[
        (*retried, RETRIED),
        (*extended_main_secret, EXTENDED_MAIN_SECRET),
        (*secure_renegotiation, SECURE_RENEGOTIATION),
        (*client_auth_requested, CLIENT_AUTH_REQUESTED),
        (*client_authenticated, CLIENT_AUTHENTICATED),
        (*resumed, RESUMED),
    ]));
    writer.u8(match early_data {
        EarlyDataStatus::NotOffered => 0,
        EarlyDataStatus::Offered => 1,
        EarlyDataStatus::Accepted => 2,
        EarlyDataStatus::Rejected => 3,
    });
    writer.vec8(|writer| bytes(alpn.as_deref(), writer))?;
    let server_name = server_name.as_ref().map(|name| name.as_str().as_bytes());
    writer.vec8(|writer| bytes(server_name, writer))?;
    writer.vec24(|writer| {
        peer_chain
            .iter()
            .try_for_each(|certificate| writer.vec24(|writer| bytes(Some(certificate), writer)))
    })?;
    writer.vec24(|writer| bytes(ocsp.as_deref(), writer))?;
    writer.vec24(|writer| bytes(scts.as_deref(), writer))?;
    writer.vec16(|writer| bytes(psk_identity.as_deref(), writer))?;
    writer.vec8(|writer| {
        if let Some(exporter) = exporter {
            exporter.write(writer);
        }
        Ok(())
    })
}

/// What is not there has no bytes: none of these can be empty.
fn bytes(value: Option<&[u8]>, writer: &mut Writer<'_>) -> Result<(), Error> {
    writer.bytes(value.unwrap_or_default());
    Ok(())
}

pub(super) fn read(
    reader: &mut Reader<'_>,
    suite: Suite,
    peer_note: Option<Note>,
) -> Result<ConnectionInfo, ImportError> {
    let group = code_point(reader)?.map(NamedGroup);
    let server_certificate_type = CertificateType(reader.u8()?);
    let client_certificate_type = CertificateType(reader.u8()?);
    let signature_scheme = code_point(reader)?.map(SignatureScheme);
    let client_signature_scheme = code_point(reader)?.map(SignatureScheme);
    let flags = keys::flags(reader, "flags of what was agreed", KNOWN_FLAGS)?;
    let flag = |bit| flags & bit != 0;
    let early_data = match reader.u8()? {
        0 => EarlyDataStatus::NotOffered,
        1 => EarlyDataStatus::Offered,
        2 => EarlyDataStatus::Accepted,
        3 => EarlyDataStatus::Rejected,
        _ => return Err(ImportError::Illegal("status of early data")),
    };
    let alpn = boxed(reader.vec8("application protocol")?);
    let server_name = match reader.vec8("server name")?.take_rest() {
        [] => None,
        name => DnsName::from_wire(name)
            // As it was exported: in its one form.
            .filter(|read| read.as_str().as_bytes() == name)
            .map(Some)
            .ok_or(ImportError::Illegal("server name"))?,
    };
    let peer_chain = chain(reader.vec24("peer's certificates")?)?;
    let ocsp = boxed(reader.vec24("OCSP response")?);
    let scts = boxed(reader.vec24("SignedCertificateTimestampList")?);
    let psk_identity = boxed(reader.vec16("PSK's identity")?);
    let exporter = match reader.vec8("exporter")?.take_rest() {
        [] => None,
        secret => Some(exporter(suite, secret).ok_or(ImportError::Illegal("exporter"))?),
    };
    Ok(ConnectionInfo {
        version: Some(suite.version()),
        cipher_suite: Some(suite.id()),
        group,
        server_certificate_type,
        client_certificate_type,
        signature_scheme,
        client_signature_scheme,
        alpn,
        server_name,
        resumed: flag(RESUMED),
        psk_identity,
        early_data,
        early_exporter: None,
        retried: flag(RETRIED),
        extended_main_secret: flag(EXTENDED_MAIN_SECRET),
        secure_renegotiation: flag(SECURE_RENEGOTIATION),
        client_auth_requested: flag(CLIENT_AUTH_REQUESTED),
        client_authenticated: flag(CLIENT_AUTHENTICATED),
        post_handshake_auth: false,
        peer_chain,
        ocsp,
        scts,
        peer_note,
        exporter,
    })
}

/// 0 stands for none: it is reserved in the registries of groups and signature schemes.
fn code_point(reader: &mut Reader<'_>) -> Result<Option<u16>, ImportError> {
    Ok(Some(reader.u16()?).filter(|value| *value != 0))
}

fn boxed(mut reader: Reader<'_>) -> Option<Box<[u8]>> {
    Some(reader.take_rest())
        .filter(|bytes| !bytes.is_empty())
        .map(Box::from)
}

fn chain(mut reader: Reader<'_>) -> Result<Vec<Box<[u8]>>, ImportError> {
    let mut chain = Vec::new();
    while !reader.is_empty() {
        if chain.len() == MAX_CHAIN {
            return Err(reader.error(Problem::Limit).into());
        }
        let mut certificate = reader.vec24("certificate")?.non_empty()?;
        chain.push(Box::from(certificate.take_rest()));
    }
    Ok(chain)
}

fn exporter(suite: Suite, secret: &[u8]) -> Option<Exporter> {
    match suite {
        Suite::Tls13(suite) => Exporter::read13(suite.hash, secret),
        #[cfg(feature = "tls12")]
        Suite::Tls12(suite) => Exporter::read12(suite.hash, secret),
    }
}
