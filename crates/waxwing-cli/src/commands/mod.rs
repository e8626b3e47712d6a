//! The commands.

pub(crate) mod cert;
pub(crate) mod get;
pub(crate) mod serve;
