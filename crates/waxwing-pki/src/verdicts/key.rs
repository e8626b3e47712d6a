//! What a verdict is about.

use core::hash::BuildHasher;

use sha2::{Digest, Sha256};
use waxwing_core::ServerName;

use crate::Peer;
use crate::revocation::Evidence;

/// Everything of one judgement that came from outside of the verifier, but the time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Question {
    /// Stands for all of it.
    pub(super) key: [u8; 32],
    /// Stands for the peer: who shares it shares places in the table, and nothing else.
    pub(super) owner: u64,
}

impl Question {
    /// `hasher` tells peers apart. It has to be secret, or peers could choose whose places they
    /// take.
    pub(super) fn of(
        hasher: &impl BuildHasher,
        chain: &[&[u8]],
        peer: Peer<'_>,
        evidence: &Evidence<'_>,
    ) -> Self {
        let leaf = chain.first().copied().unwrap_or_default();
        let owner = match peer {
            Peer::Server(name) => hasher.hash_one(name),
            Peer::Client => hasher.hash_one(leaf),
        };
        Self {
            key: key(chain, peer, evidence),
            owner,
        }
    }
}

/// SHA-256 of all of it, each part with its length in front: no two judgements are the same bytes.
fn key(chain: &[&[u8]], peer: Peer<'_>, evidence: &Evidence<'_>) -> [u8; 32] {
    let mut hash = Sha256::new();
    match peer {
        Peer::Client => part(&mut hash, 0, &[]),
        Peer::Server(ServerName::Dns(name)) => part(&mut hash, 1, name.as_str().as_bytes()),
        Peer::Server(ServerName::Ip(address)) => {
            // An IPv6 address that stands for an IPv4 address is another name than that, and is
            // longer.
            match address {
                core::net::IpAddr::V4(address) => part(&mut hash, 2, &address.octets()),
                core::net::IpAddr::V6(address) => part(&mut hash, 2, &address.octets()),
            }
        }
    }
    for (tag, shown) in [(3, evidence.ocsp), (4, evidence.scts)] {
        // Nothing is not the same as something empty.
        if let Some(shown) = shown {
            part(&mut hash, tag, shown);
        }
    }
    for certificate in chain {
        part(&mut hash, 5, certificate);
    }
    hash.finalize().into()
}

fn part(hash: &mut Sha256, tag: u8, bytes: &[u8]) {
    let [a, b, c, d, e, f, g, h] = (bytes.len() as u64).to_be_bytes();
    hash.update([tag, a, b, c, d, e, f, g, h]);
    hash.update(bytes);
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Every part, at every border, is told from every other.
    #[test]
    fn no_two_judgements_run_together() {
        let names: [ServerName; 5] = ["a", "ab", "192.0.2.1", "::ffff:192.0.2.1", "2001:db8::1"]
            .map(|name| name.parse().unwrap());
        let peers = names.iter().map(Peer::Server).chain([Peer::Client]);
        let chains: [&[&[u8]]; 10] = [
            &[b"ab", b"c"],
            &[b"a", b"bc"],
            &[b"abc"],
            &[b"ab\x05c"],
            &[b"c", b"ab"],
            &[b"ab", b"c", b""],
            &[b"ab", b"", b"c"],
            &[b"", b"ab", b"c"],
            &[b"ab", b"c", b"c"],
            &[],
        ];
        let shown: [Option<&[u8]>; 4] = [None, Some(b""), Some(b"c"), Some(b"ab")];
        let mut keys = BTreeSet::new();
        let mut asked = 0;
        for peer in peers {
            for chain in chains {
                for ocsp in shown {
                    for scts in shown {
                        keys.insert(key(chain, peer, &Evidence::of_server(ocsp, scts)));
                        asked += 1;
                    }
                }
            }
        }
        assert_eq!(keys.len(), asked);
    }
}
