//! Authorities with revocation lists, OCSP responders, logs and filters, at a time that stands
//! still.
//!
//! All times are relative to [`NOW`]. Structures that no library of this workspace writes are put
//! together here byte by byte, so that a mistake in reading them is not made in writing too.

mod authority;
mod der;
mod filter;
mod list;
mod log;
mod ocsp;

use core::time::Duration;

use rcgen::{KeyPair, SigningKey};
use waxwing_pki::{KeyType, UnixTime};

pub use authority::{Authority, Leaf};
pub use der::tlv;
pub use filter::filter;
pub use list::CrlSpec;
pub use log::{CtLog, sct_list};
pub use ocsp::{OcspSpec, OcspStatus, Responder, ocsp_error};

/// 2030-01-01T00:00:00Z.
pub const NOW: UnixTime = UnixTime::from_seconds(1_893_456_000);
/// The name of every leaf.
pub const NAME: &str = "www.example.com";
/// One hour, in seconds.
pub const HOUR: i64 = 60 * 60;
/// One day, in seconds.
pub const DAY: i64 = 24 * HOUR;

/// So many seconds after [`NOW`].
#[must_use]
pub const fn at(seconds: i64) -> UnixTime {
    let distance = Duration::from_secs(seconds.unsigned_abs());
    if seconds < 0 {
        NOW.minus(distance)
    } else {
        NOW.plus(distance)
    }
}

/// A time as rcgen wants it.
macro_rules! time {
    ($seconds:expr) => {
        date_time_ymd(1970, 1, 1) + Duration::from_secs(at($seconds).seconds())
    };
}
use time;

fn sign(key: &[u8], message: &[u8]) -> Vec<u8> {
    let key = KeyPair::try_from(key).expect("a key of rcgen");
    key.sign(message).expect("a signature")
}

fn key_pair() -> KeyPair {
    let key = KeyType::P256.generate().expect("key generation");
    KeyPair::try_from(key.as_slice()).expect("a key that rcgen can sign with")
}
