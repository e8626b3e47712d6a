//! The presentation language of RFC 9846, Section 3: reading borrowed views, writing forward.

#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

mod list;
mod reader;
mod writer;

pub(crate) use list::List;
pub(crate) use reader::{Read, Reader};
pub(crate) use writer::Writer;
