//! The libraries, one file each.

mod boringssl;
mod openssl;
mod rustls;
mod waxwing;

pub(crate) use boringssl::{BoringSsl, count_heap};
pub(crate) use openssl::OpenSsl;
pub(crate) use rustls::{Rustls, server_config as rustls_server};
pub(crate) use waxwing::{
    Waxwing, client_config as waxwing_client, server_config as waxwing_server,
};

use crate::limit::Limit;
use crate::pair::{Engine, Pair, Subject};
use crate::pki::Pki;
use crate::scenario::{Group, Scenario};

/// Names of all subjects, in the order of the tables' columns.
pub(crate) const NAMES: [&str; 5] = [
    Limit::NAME,
    WAXWING,
    Rustls::NAME,
    BoringSsl::NAME,
    OpenSsl::NAME,
];

/// The name of the library that the others are compared with.
pub(crate) const WAXWING: &str = "Waxwing";

/// The names of what Waxwing is compared with.
pub(crate) fn others() -> impl Iterator<Item = &'static str> {
    NAMES.into_iter().filter(|name| *name != WAXWING)
}

/// The groups of a scenario as OpenSSL and BoringSSL take them.
fn groups_list(scenario: Scenario) -> String {
    let name = |group| match group {
        Group::X25519 => "X25519",
        Group::P256 => "P-256",
        Group::X25519MlKem768 => "X25519MLKEM768",
    };
    let names: Vec<_> = scenario.groups().into_iter().map(name).collect();
    names.join(":")
}

/// The subject called `name`, or `None` if it lacks what the scenario asks for.
pub(crate) fn subject(name: &str, pki: &Pki, scenario: Scenario) -> Option<Box<dyn Subject>> {
    fn boxed<S: Subject + 'static>(subject: S) -> Box<dyn Subject> {
        Box::new(subject)
    }
    match name {
        Limit::NAME => Some(boxed(Limit::new(pki, scenario))),
        WAXWING => Pair::<Waxwing>::new(pki, scenario).map(boxed),
        Rustls::NAME => Pair::<Rustls>::new(pki, scenario).map(boxed),
        BoringSsl::NAME => Pair::<BoringSsl>::new(pki, scenario).map(boxed),
        OpenSsl::NAME => Pair::<OpenSsl>::new(pki, scenario).map(boxed),
        _ => None,
    }
}
