//! Whether certificates are revoked, and who says so.
//!
//! One [`RevocationPolicy`] asks the sources that it is given, each [softly or hard](Mode), and
//! comes to one [`Outcome`], which names the answer that decided.
//!
//! ```text
//!   Source    what it is                         who trusts it           files
//!   Staple    an OCSP response by the server     signed by the issuer    ocsp.rs
//!   Crl       revocation lists by the user       signed by the issuer    crl.rs, crl_set.rs
//!   Crlite    filters by the user                given by the user       crlite.rs
//! ```
//!
//! Beside them stand two rules about the end entity: a certificate can demand a staple
//! (../tls_feature.rs), and the policy can demand timestamps of logs (sct.rs).
//!
//! The module [`refresh`] keeps all of them up to date, and [`StaplingKey`] is what a server
//! staples with.

mod chain;
mod crl;
mod crl_set;
#[cfg(feature = "crlite")]
pub mod crlite;
mod der;
mod ocsp;
mod outcome;
mod policy;
pub mod refresh;
mod replaceable;
mod sct;
mod signature;
mod stapling;
mod when;

pub(crate) use der::Fields;
pub(crate) use policy::Generation;

pub use chain::VerifiedChain;
pub use crl::{Crl, CrlError};
pub use crl_set::CrlSet;
pub use outcome::{Decision, Finding, Outcome, Reason, Silence, Source, Status};
pub use policy::{Depth, Evidence, Mode, RevocationPolicy};
pub use sct::{LogList, Report, SctFinding, SctPlace, SctProblem, Transparency};
pub use stapling::StaplingKey;

use sha2::{Digest, Sha256};

fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}
