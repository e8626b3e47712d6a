//! The key shares that a ClientHello offers (RFC 9846, Section 4.3.8), and what becomes of them.

use alloc::boxed::Box;
use alloc::vec::Vec;

use waxwing_crypto::{CryptoError, KeyShare, NamedGroup, SecureRandom, SharedSecret};

use super::Env;
use crate::config::client::ClientConfig;
use crate::messages::extensions::key_share::KeyShareEntry;
use crate::{Error, PeerError};

/// The shares on offer.
#[derive(Default)]
pub(super) struct Shares {
    list: Vec<Box<dyn KeyShare>>,
    /// Whether it is the single one that a HelloRetryRequest asked for.
    pub(super) retrying: bool,
}

impl Shares {
    /// Those of the first hello.
    pub(super) fn first(random: &dyn SecureRandom, env: &Env<'_>) -> Result<Self, Error> {
        let config = env.config;
        let mut list: Vec<Box<dyn KeyShare>> = Vec::new();
        let count = match &config.key_share_groups {
            Some(_) => usize::MAX,
            None => config.key_shares,
        };
        let first = config.common.groups.iter().take(count);
        for group in first.filter(|group| may_share(config, group.name())) {
            if !covers(&list, group.name()) {
                list.push(group.start(random)?);
            }
        }
        let recalled = config
            .group_memory
            .as_ref()
            .and_then(|memory| memory.recall(env.name));
        let wanted = recalled.filter(|name| !list.is_empty() && !covers(&list, *name));
        if let Some(group) = config
            .common
            .groups
            .iter()
            .find(|group| Some(group.name()) == wanted)
        {
            list = Vec::from([group.start(random)?]);
        }
        Ok(Self {
            list,
            retrying: false,
        })
    }

    /// The entries of `key_share`, in the order of `supported_groups` (RFC 9846, Section 4.3.8):
    /// for each group its own share, or the part of a hybrid's share that serves it too.
    pub(super) fn entries<'a>(
        &'a self,
        config: &'a ClientConfig,
    ) -> impl Iterator<Item = (NamedGroup, &'a [u8])> {
        config.common.groups.iter().filter_map(|group| {
            let name = group.name();
            let own = self.list.iter().find(|share| share.group() == name);
            // The answer to a HelloRetryRequest has exactly one share.
            let mut parts = self
                .list
                .iter()
                .filter(|_| !self.retrying && may_share(config, name))
                .filter_map(|share| share.classical_part());
            own.map(|share| (name, share.public()))
                .or_else(|| parts.find(|(part, _)| *part == name))
        })
    }

    /// A HelloRetryRequest asks for this group: it must be one that we offered, but sent no share
    /// for (RFC 9846, Section 4.3.8).
    pub(super) fn replace(&mut self, name: NamedGroup, env: &Env<'_>) -> Result<(), Error> {
        let common = &env.config.common;
        let shared = self.entries(env.config).any(|(group, _)| group == name);
        match common.groups.iter().find(|group| group.name() == name) {
            Some(group) if !shared => {
                self.list = Vec::from([group.start(common.provider.random)?]);
                self.retrying = true;
                Ok(())
            }
            _ => Err(PeerError::RetryGroup.into()),
        }
    }

    /// Takes the server's answer to one of the shares, which must be one that we sent.
    pub(super) fn complete(
        mut self,
        answer: KeyShareEntry<'_>,
        config: &ClientConfig,
    ) -> Result<SharedSecret, Error> {
        if !self.entries(config).any(|(group, _)| group == answer.group) {
            return Err(PeerError::GroupNotOffered.into());
        }
        // One's own share comes before the part of a hybrid that precedes it in the list.
        let own = self
            .list
            .iter()
            .position(|share| share.group() == answer.group);
        let part = self.list.iter().position(|share| {
            share
                .classical_part()
                .is_some_and(|(group, _)| group == answer.group)
        });
        let index = own.or(part).ok_or(PeerError::GroupNotOffered)?;
        let share = self.list.swap_remove(index);
        share
            .complete(answer.group, answer.key_exchange)
            .map_err(|error| match error {
                CryptoError::InvalidPublicValue => PeerError::BadKeyShare.into(),
                other => other.into(),
            })
    }
}

/// Whether the configuration allows for a share of this group.
fn may_share(config: &ClientConfig, name: NamedGroup) -> bool {
    let groups = config.key_share_groups.as_ref();
    groups.is_none_or(|groups| groups.contains(&name))
}

/// Whether one of `shares`, or the classical part of one, stands for this group.
fn covers(shares: &[Box<dyn KeyShare>], name: NamedGroup) -> bool {
    shares.iter().any(|share| {
        share.group() == name || share.classical_part().is_some_and(|(part, _)| part == name)
    })
}
