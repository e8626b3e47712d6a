//! Choosing from two lists. Pure functions: no state, no messages sent.

use alloc::vec::Vec;

use waxwing_crypto::{CipherSuite, KxGroup, NamedGroup, Suite13};

use crate::codec::List;
use crate::messages::extensions::alpn::ProtocolName;
use crate::messages::extensions::key_share::KeyShareEntry;
use crate::{Error, Incompatible, PeerError};

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
    Ok(chosen.copied().ok_or(Incompatible::CipherSuite)?)
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
