//! The commands.

pub(crate) mod get;
pub(crate) mod serve;
