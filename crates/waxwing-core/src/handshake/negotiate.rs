//! Choosing from two lists. Pure functions: no state, no messages sent.

use alloc::vec::Vec;

use waxwing_crypto::{CipherSuite, KxGroup, NamedGroup, Suite13};
#[cfg(feature = "tls12")]
use waxwing_crypto::{SignatureScheme, Suite12};

#[cfg(feature = "tls12")]
use super::auth::pick_scheme12;
use crate::codec::List;
#[cfg(feature = "tls12")]
use crate::config::Common;
use crate::config::versions::ProtocolVersions;
use crate::messages::extensions::alpn::ProtocolName;
use crate::messages::extensions::key_share::KeyShareEntry;
use crate::messages::{ClientHello, ProtocolVersion};
use crate::{Error, Incompatible, PeerError, Refused, refused};

/// The version for a client's hello: the newest that both sides speak (RFC 9846,
/// Section 4.3.1).
pub(super) fn version(
    ours: ProtocolVersions,
    hello: &ClientHello<'_>,
) -> Result<ProtocolVersion, Error> {
    let chosen = match hello.extensions.supported_versions {
        Some(theirs) => ours.iter().rev().find(|version| theirs.contains(version)),
        // RFC 9846, Appendix E.1: without the extension, nothing newer than TLS 1.2.
        None => ours
            .iter()
            .find(|version| *version <= ProtocolVersion::TLS12 && hello.legacy_version >= *version),
    };
    // RFC 7507, Section 3: also if the version fallen back to is one that we do not speak at all.
    let newest = chosen.or(Some(hello.legacy_version));
    if hello.cipher_suites.contains(&CipherSuite::FALLBACK_SCSV) && ours.max() > newest {
        return Err(PeerError::Fallback.into());
    }
    Ok(chosen.ok_or(Incompatible::Version)?)
}

/// The suites of TLS 1.2 that both sides know, the preferred one first.
#[cfg(feature = "tls12")]
pub(super) fn suites12(
    ours: &[&'static Suite12],
    theirs: List<'_, CipherSuite>,
    client_order: bool,
) -> Result<Vec<&'static Suite12>, Error> {
    let common: Vec<&'static Suite12> = if client_order {
        theirs
            .iter()
            .filter_map(|id| ours.iter().find(|suite| suite.id == id).copied())
            .take(ours.len())
            .collect()
    } else {
        let known = ours.iter().filter(|suite| theirs.contains(&suite.id));
        known.copied().collect()
    };
    if common.is_empty() {
        return Err(no_suite(theirs).into());
    }
    Ok(common)
}

/// Suite and scheme of TLS 1.2 for a key that signs with `ours`: the first suite that the key can
/// serve, and the first scheme that the client knows. The key's curve must be one that the client
/// knows too (RFC 8422, Section 5.3).
#[cfg(feature = "tls12")]
pub(crate) fn fit12(
    suites: &[&'static Suite12],
    ours: &[SignatureScheme],
    known: impl Fn(SignatureScheme) -> bool,
    curve: impl Fn(NamedGroup) -> bool,
) -> Result<(&'static Suite12, SignatureScheme), Error> {
    let usable = |scheme| curve_of(scheme).is_none_or(&curve) && known(scheme);
    let serves = |suite: &&&'static Suite12| {
        let authentication = Some(suite.authentication);
        ours.iter()
            .any(|scheme| scheme.tls12_authentication() == authentication)
    };
    let suite = *suites
        .iter()
        .find(serves)
        .ok_or(Incompatible::CipherSuite)?;
    let scheme = pick_scheme12(ours, Some(suite.authentication), usable);
    Ok((suite, scheme.ok_or(Incompatible::SignatureScheme)?))
}

/// The curve of an ECDSA key of ours that signs with this scheme: each curve goes with the hash of
/// its size, as in TLS 1.3.
#[cfg(feature = "tls12")]
const fn curve_of(scheme: SignatureScheme) -> Option<NamedGroup> {
    match scheme {
        SignatureScheme::ECDSA_SECP256R1_SHA256 => Some(NamedGroup::SECP256R1),
        SignatureScheme::ECDSA_SECP384R1_SHA384 => Some(NamedGroup::SECP384R1),
        SignatureScheme::ECDSA_SECP521R1_SHA512 => Some(NamedGroup::SECP521R1),
        _ => None,
    }
}

/// The group for a client of TLS 1.2: the first of ours that it names. One that names none leaves
/// the choice to us (RFC 8422, Section 4).
#[cfg(feature = "tls12")]
pub(super) fn group12(
    common: &Common,
    theirs: Option<List<'_, NamedGroup>>,
) -> Result<&'static dyn KxGroup, Error> {
    let chosen = common
        .groups12()
        .find(|group| theirs.is_none_or(|theirs| theirs.contains(&group.name())));
    Ok(chosen.ok_or(Incompatible::Group)?)
}

/// Whether a client knows of secure renegotiation: by the extension, or by the suite that stands
/// for an empty one (RFC 5746, Section 3.6).
#[cfg(feature = "tls12")]
pub(super) fn secure_renegotiation(hello: &ClientHello<'_>) -> bool {
    hello.extensions.renegotiation_info.is_some()
        || hello
            .cipher_suites
            .contains(&CipherSuite::EMPTY_RENEGOTIATION_INFO_SCSV)
}

/// The suite for a client's list: our order decides unless `client_order`.
pub(super) fn suite(
    ours: &[&'static Suite13],
    theirs: List<'_, CipherSuite>,
    client_order: bool,
) -> Result<&'static Suite13, Error> {
    let chosen = if client_order {
        theirs
            .iter()
            .find_map(|id| ours.iter().find(|suite| suite.id == id))
    } else {
        ours.iter().find(|suite| theirs.contains(&suite.id))
    };
    Ok(chosen.copied().ok_or_else(|| no_suite(theirs))?)
}

/// What is wrong with a list without a suite of ours.
fn no_suite(theirs: List<'_, CipherSuite>) -> Incompatible {
    let is_rc4 = |id| refused::suite(id) == Some(Refused::Rc4);
    let is_no_suite = |id: CipherSuite| {
        id.is_grease()
            || id == CipherSuite::FALLBACK_SCSV
            || id == CipherSuite::EMPTY_RENEGOTIATION_INFO_SCSV
    };
    // RFC 7465, Section 2.
    if theirs.iter().any(is_rc4) && theirs.iter().all(|id| is_rc4(id) || is_no_suite(id)) {
        Incompatible::OnlyRc4
    } else {
        Incompatible::CipherSuite
    }
}

/// The outcome of choosing a group.
pub(super) enum GroupChoice<'a> {
    /// This group; the client sent this share for it.
    Share(&'static dyn KxGroup, &'a [u8]),
    /// This group; the client has to be asked for a share.
    Retry(&'static dyn KxGroup),
}

/// The group for a client's lists.
///
/// A post-quantum group that both sides know wins over any other, even if it costs a round trip:
/// what is recorded today stays secret only that way. Among equals, one with a share wins over
/// one without; then our order decides.
pub(super) fn group<'a>(
    ours: &[&'static dyn KxGroup],
    theirs: List<'_, NamedGroup>,
    shares: List<'a, KeyShareEntry<'a>>,
) -> Result<GroupChoice<'a>, Error> {
    check_shares(theirs, shares)?;
    let share_for = |name| {
        shares
            .iter()
            .find(|share| share.group == name)
            .map(|share| share.key_exchange)
    };
    let best = ours
        .iter()
        .copied()
        .filter(|group| theirs.contains(&group.name()))
        // `min_by_key` keeps the first of equals: our order.
        .min_by_key(|group| {
            (
                !group.name().is_post_quantum(),
                share_for(group.name()).is_none(),
            )
        })
        .ok_or(Incompatible::Group)?;
    Ok(match share_for(best.name()) {
        Some(share) => GroupChoice::Share(best, share),
        None => GroupChoice::Retry(best),
    })
}

/// RFC 9846, Section 4.3.8: at most one share for a group, and only for groups offered.
fn check_shares(
    groups: List<'_, NamedGroup>,
    shares: List<'_, KeyShareEntry<'_>>,
) -> Result<(), Error> {
    for (index, share) in shares.iter().enumerate() {
        let repeated = shares
            .iter()
            .take(index)
            .any(|other| other.group == share.group);
        if repeated || !groups.contains(&share.group) {
            return Err(PeerError::KeyShareGroups.into());
        }
    }
    Ok(())
}

/// The application protocol for a client's list, in our order (RFC 7301, Section 3.2).
pub(super) fn alpn<'a>(
    ours: &'a [Vec<u8>],
    theirs: Option<List<'_, ProtocolName<'_>>>,
    required: bool,
) -> Result<Option<&'a [u8]>, Error> {
    let Some(theirs) = theirs else {
        return Ok(None);
    };
    let chosen = ours
        .iter()
        .find(|name| theirs.contains(&ProtocolName(name)));
    if chosen.is_none() && required && !ours.is_empty() {
        return Err(Incompatible::ApplicationProtocol.into());
    }
    Ok(chosen.map(Vec::as_slice))
}
