//! What Waxwing means to reach, beside the limit of the same run or in bytes.

use crate::scenario::{Auth, Group, Kind, Scenario, Suite, Version};
use crate::wall::Transfer;

/// The most that a handshake may take of the limit's time, on the client and on the server.
pub(crate) fn handshake(scenario: &Scenario) -> Option<[f64; 2]> {
    use {Auth::EcdsaP256 as Ecdsa, Auth::Rsa2048 as Rsa};
    use {Group::X25519, Group::X25519MlKem768 as Hybrid};
    let (kind, auth, group) = (scenario.kind, scenario.auth, scenario.group);
    let goal = match (scenario.version, kind, auth, group) {
        (Version::Tls13, Kind::Full, Ecdsa, X25519) => [1.05, 1.10],
        (Version::Tls13, Kind::Full, Rsa, X25519) => [1.12, 1.03],
        (Version::Tls13, Kind::Full, Ecdsa, Hybrid) => [1.08, 1.12],
        (Version::Tls13, Kind::Mutual, Ecdsa, X25519) => [1.06, 1.06],
        (Version::Tls13, Kind::KnownChain, Ecdsa, X25519) => [1.10, 1.10],
        (Version::Tls13, Kind::Resumed, _, X25519) => [1.15, 1.18],
        (Version::Tls12, Kind::Full, Ecdsa, X25519) => [1.04, 1.08],
        (Version::Tls12, Kind::Resumed, ..) => [1.80, 1.80],
        _ => return None,
    };
    Some(goal)
}

/// The least speed, beside one AEAD call for each record.
pub(crate) fn transfer((suite, writes): &Transfer) -> Option<f64> {
    match (suite, writes.size) {
        (Suite::ChaCha20, 16_384) => Some(0.97),
        (Suite::ChaCha20, _) => None,
        (_, 16_384) => Some(0.95),
        (_, 1_400) => Some(0.88),
        (_, 64) => Some(0.80),
        _ => None,
    }
}

/// The most bytes or allocations of a stage of [`crate::memory::STAGES`], client and server; empty if
/// there is no goal.
pub(crate) fn memory(stage: &str) -> &'static str {
    match stage {
        "handshake_live" | "transfer_live" => "2,048 / 1,792",
        "handshake_peak" => "6,144 / 6,144",
        "handshake_allocations" => "40 / 30, and those inside AWS-LC",
        "record_allocations" => "0 / 0",
        "resident_per_pair" | "resident_per_pair_of_many" => "5,000",
        _ => "",
    }
}
