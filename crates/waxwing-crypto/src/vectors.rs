//! Known-answer tests that every provider runs over itself (feature `test-vectors`).
//!
//! [`check`] goes through all that a provider lists: published answers first, then the rules
//! that the traits of this crate state, among them every way in which a peer's input may be
//! wrong. A provider that lists something for which there is no known answer here fails, so
//! that none goes untested.

use alloc::string::{String, ToString};
use core::fmt;

use crate::{Authentication12, CryptoProvider, HashId, Nonce12, Suite12};

mod aead;
mod hash;
mod kx;
mod sign;

/// What a provider got wrong first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The algorithm.
    subject: String,
    /// What should have held.
    rule: &'static str,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: not so: {}", self.subject, self.rule)
    }
}

impl core::error::Error for Failure {}

/// Runs every test over everything that `provider` lists.
///
/// # Errors
/// The first [`Failure`].
pub fn check(provider: &CryptoProvider) -> Result<(), Failure> {
    let subject = Subject(&"provider");
    subject.must(provider.check().is_ok(), "it can serve a handshake")?;
    check_random(provider)?;
    for suite in provider.suites13 {
        hash::check(suite.hash)?;
        aead::check(suite.id, suite.aead)?;
    }
    for suite in provider.suites12 {
        check_suite12(suite)?;
    }
    for group in provider.groups {
        kx::check(provider, *group)?;
    }
    sign::check_verifiers(provider)?;
    sign::check_curves12(provider)?;
    sign::check_keys(provider)
}

fn check_suite12(suite: &Suite12) -> Result<(), Failure> {
    hash::check(suite.hash)?;
    aead::check(suite.id, suite.aead)?;
    let subject = Subject(&suite.id);
    let name = subject.some(suite.id.name(), "its name is known")?;
    let hash = match suite.hash.id() {
        HashId::Sha256 => "SHA256",
        HashId::Sha384 => "SHA384",
    };
    subject.must(name.ends_with(hash), "the hash")?;
    // RFC 7905 alone has nothing of the nonce in the record.
    let implicit = suite.nonce == Nonce12::Implicit;
    subject.must(name.contains("CHACHA20") == implicit, "the nonce")?;
    let ecdsa = suite.authentication == Authentication12::Ecdsa;
    subject.must(name.contains("ECDSA") == ecdsa, "the authentication")
}

fn check_random(provider: &CryptoProvider) -> Result<(), Failure> {
    let subject = Subject(&"random");
    let mut draws = [[0; 32]; 2];
    for draw in &mut draws {
        subject.succeeds(provider.random.fill(draw))?;
    }
    let [first, second] = draws;
    subject.must(first != second, "two draws differ")?;
    subject.must(first != [0; 32], "the buffer is filled")?;
    subject.succeeds(provider.random.fill(&mut []))
}

/// Names the algorithm under test in failures.
#[derive(Clone, Copy)]
struct Subject<'a>(&'a dyn fmt::Display);

impl Subject<'_> {
    fn must(self, holds: bool, rule: &'static str) -> Result<(), Failure> {
        if holds {
            Ok(())
        } else {
            Err(Failure {
                subject: self.0.to_string(),
                rule,
            })
        }
    }

    fn some<T>(self, value: Option<T>, rule: &'static str) -> Result<T, Failure> {
        value.ok_or_else(|| Failure {
            subject: self.0.to_string(),
            rule,
        })
    }

    fn succeeds<T, E>(self, result: Result<T, E>) -> Result<T, Failure> {
        self.some(result.ok(), "a correct use succeeds")
    }
}

/// Decodes lower-case hexadecimal digits. Only used in constants: a wrong digit or length does
/// not compile.
const fn hex<const N: usize>(text: &str) -> [u8; N] {
    const fn digit(character: u8) -> u8 {
        match character {
            b'0'..=b'9' => character - b'0',
            b'a'..=b'f' => character - b'a' + 10,
            _ => panic!("not a hexadecimal digit"),
        }
    }
    let text = text.as_bytes();
    assert!(text.len() == 2 * N, "the wrong number of digits");
    let mut bytes = [0; N];
    let mut i = 0;
    while i < N {
        bytes[i] = digit(text[2 * i]) << 4 | digit(text[2 * i + 1]);
        i += 1;
    }
    bytes
}
