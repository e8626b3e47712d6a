//! The presentation language of RFC 9846, Section 3: reading borrowed views, writing forward.

mod list;
mod reader;
mod writer;

pub(crate) use list::List;
pub(crate) use reader::{Read, Reader};
pub(crate) use writer::Writer;
