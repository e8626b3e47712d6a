//! `key_share` (RFC 9846, Section 4.3.8): three forms, by the message it stands in.

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::messages::testing::{assert_exact, malformed, written};

    const GREASE: KeyShareEntry<'static> = KeyShareEntry {
        group: NamedGroup(0x4a4a),
        key_exchange: &[0],
    };
    const SHARE: KeyShareEntry<'static> = KeyShareEntry {
        group: NamedGroup::X25519,
        key_exchange: &[9; 32],
    };

    fn offer(data: &[u8]) -> Result<List<'_, KeyShareEntry<'_>>, Error> {
        Ok(read(Reader::new("key_share", data))?)
    }

    #[test]
    fn what_is_written_is_read() {
        let data = written(|w| write_key_shares(w, [GREASE, SHARE]));
        assert!(offer(&data).unwrap().iter().eq([GREASE, SHARE]));
        assert_exact(&data, &[], |data| offer(data).map(|_| ()));

        let data = written(|w| write_key_share(w, SHARE));
        assert_eq!(read_server(Reader::new("key_share", &data)), Ok(SHARE));
        assert_exact(&data, &[], |data| {
            Ok(read_server(Reader::new("key_share", data)).map(|_| ())?)
        });

        let data = written(|w| write_retry_group(w, NamedGroup::SECP384R1));
        assert_eq!(
            read_retry(Reader::new("key_share", &data)),
            Ok(NamedGroup::SECP384R1)
        );
        assert_exact(&data, &[], |data| {
            Ok(read_retry(Reader::new("key_share", data)).map(|_| ())?)
        });
    }

    #[test]
    fn no_share_is_legal_but_an_empty_share_is_not() {
        assert!(offer(&[0, 0]).unwrap().iter().next().is_none());
        let empty = malformed("key_exchange", Problem::Length);
        assert_eq!(offer(&[0, 4, 0, 29, 0, 0]), Err(empty.clone()));
        let alone = read_server(Reader::new("key_share", &[0, 29, 0, 0]));
        assert_eq!(alone.map_err(Error::from), Err(empty));
    }

    #[test]
    fn shares_have_a_limit() {
        let most = written(|w| write_key_shares(w, [GREASE; MAX_KEY_SHARES]));
        assert!(offer(&most).is_ok());
        let more = written(|w| write_key_shares(w, [GREASE; MAX_KEY_SHARES + 1]));
        assert_eq!(
            offer(&more),
            Err(malformed("client_shares", Problem::Limit))
        );
    }
}
