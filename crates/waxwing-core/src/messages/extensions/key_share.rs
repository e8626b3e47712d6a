//! `key_share` (RFC 9846, Section 4.2.8): three forms, by the message it stands in.

use waxwing_crypto::NamedGroup;

use crate::Error;
use crate::codec::{List, Read, Reader, Writer};
use crate::error::{DecodeError, Problem};
use crate::limits::MAX_KEY_SHARES;

/// One share: a group, and a public value of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct KeyShareEntry<'a> {
    pub(crate) group: NamedGroup,
    /// Not empty. Whether it is a public value of the group is for the key exchange to say.
    pub(crate) key_exchange: &'a [u8],
}

impl<'a> Read<'a> for KeyShareEntry<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        Ok(Self {
            group: NamedGroup::read(reader)?,
            key_exchange: reader.vec16("key_exchange")?.non_empty()?.take_rest(),
        })
    }
}

/// Reads the client's list. It may be empty: a client asks for a HelloRetryRequest so.
pub(crate) fn read(mut reader: Reader<'_>) -> Result<List<'_, KeyShareEntry<'_>>, DecodeError> {
    let content = reader.vec16("client_shares")?;
    let limit = content.error(Problem::Limit);
    let list: List<'_, KeyShareEntry<'_>> = List::parse(content)?;
    reader.finish()?;
    if list.iter().nth(MAX_KEY_SHARES).is_some() {
        return Err(limit);
    }
    Ok(list)
}

/// Reads the share of a ServerHello.
pub(crate) fn read_server(mut reader: Reader<'_>) -> Result<KeyShareEntry<'_>, DecodeError> {
    let entry = KeyShareEntry::read(&mut reader)?;
    reader.finish()?;
    Ok(entry)
}

/// Reads the `selected_group` of a HelloRetryRequest.
pub(crate) fn read_retry(mut reader: Reader<'_>) -> Result<NamedGroup, DecodeError> {
    let group = NamedGroup::read(&mut reader)?;
    reader.finish()?;
    Ok(group)
}

/// Writes the client's list.
pub(crate) fn write_key_shares<'e>(
    w: &mut Writer<'_>,
    entries: impl IntoIterator<Item = KeyShareEntry<'e>>,
) -> Result<(), Error> {
    w.vec16(|w| {
        for entry in entries {
            write_key_share(w, entry)?;
        }
        Ok(())
    })
}

/// Writes the share of a ServerHello.
pub(crate) fn write_key_share(w: &mut Writer<'_>, entry: KeyShareEntry<'_>) -> Result<(), Error> {
    w.u16(entry.group.0);
    w.vec16(|w| {
        w.bytes(entry.key_exchange);
        Ok(())
    })
}

/// Writes the `selected_group` of a HelloRetryRequest.
pub(crate) fn write_retry_group(w: &mut Writer<'_>, group: NamedGroup) -> Result<(), Error> {
    w.u16(group.0);
    Ok(())
}
