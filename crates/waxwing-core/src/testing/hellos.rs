//! Hellos taken apart, so that a test can break any field and put them together again. Nothing
//! here uses the readers and writers that are tested.

use alloc::vec::Vec;

use super::message;
use crate::messages::HandshakeType;

/// A ClientHello.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ClientParts {
    pub(crate) version: u16,
    pub(crate) random: [u8; 32],
    pub(crate) session_id: Vec<u8>,
    pub(crate) suites: Vec<u16>,
    pub(crate) compression: Vec<u8>,
    pub(crate) extensions: Extensions,
}

/// A ServerHello or HelloRetryRequest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ServerParts {
    pub(crate) version: u16,
    pub(crate) random: [u8; 32],
    pub(crate) session_id: Vec<u8>,
    pub(crate) suite: u16,
    pub(crate) compression: u8,
    pub(crate) extensions: Extensions,
}

/// Types and contents, in order. `None` for hellos that end before their extensions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Extensions(pub(crate) Option<Vec<(u16, Vec<u8>)>>);

impl Extensions {
    fn list(&mut self) -> &mut Vec<(u16, Vec<u8>)> {
        self.0.get_or_insert_default()
    }

    pub(crate) fn get(&self, typ: u16) -> Option<&[u8]> {
        let mut entries = self.0.iter().flatten();
        let (_, content) = entries.find(|(found, _)| *found == typ)?;
        Some(content)
    }

    pub(crate) fn types(&self) -> Vec<u16> {
        self.0.iter().flatten().map(|(typ, _)| *typ).collect()
    }

    /// Replaces the content where the extension stands, or adds it at the end.
    pub(crate) fn set(&mut self, typ: u16, content: &[u8]) {
        let list = self.list();
        match list.iter_mut().find(|(found, _)| *found == typ) {
            Some((_, old)) => *old = content.to_vec(),
            None => list.push((typ, content.to_vec())),
        }
    }

    /// Adds it at the end, whatever is there.
    pub(crate) fn push(&mut self, typ: u16, content: &[u8]) {
        self.list().push((typ, content.to_vec()));
    }

    pub(crate) fn remove(&mut self, typ: u16) {
        self.list().retain(|(found, _)| *found != typ);
    }

    fn bytes(&self) -> Vec<u8> {
        let Some(list) = &self.0 else {
            return Vec::new();
        };
        let one =
            |(typ, content): &(u16, Vec<u8>)| [&typ.to_be_bytes()[..], &vector16(content)].concat();
        vector16(&list.iter().flat_map(one).collect::<Vec<u8>>())
    }

    fn take(rest: &mut &[u8]) -> Self {
        if rest.is_empty() {
            return Self(None);
        }
        let mut block = take16(rest);
        let mut list = Vec::new();
        while !block.is_empty() {
            let typ = number(&mut block);
            list.push((typ, take16(&mut block).to_vec()));
        }
        Self(Some(list))
    }
}

/// `content` after its length in two bytes.
pub(crate) fn vector16(content: &[u8]) -> Vec<u8> {
    [&(content.len() as u16).to_be_bytes()[..], content].concat()
}

/// `content` after its length in one byte.
pub(crate) fn vector8(content: &[u8]) -> Vec<u8> {
    [&[content.len() as u8], content].concat()
}

/// A key_share of a ClientHello.
pub(crate) fn key_shares(entries: &[(u16, &[u8])]) -> Vec<u8> {
    let one = |(group, key): &(u16, &[u8])| [&group.to_be_bytes()[..], &vector16(key)].concat();
    vector16(&entries.iter().flat_map(one).collect::<Vec<u8>>())
}

fn take<'a>(rest: &mut &'a [u8], len: usize) -> &'a [u8] {
    let (taken, left) = rest.split_at(len);
    *rest = left;
    taken
}

fn number(rest: &mut &[u8]) -> u16 {
    u16::from_be_bytes(take(rest, 2).try_into().unwrap())
}

fn take16<'a>(rest: &mut &'a [u8]) -> &'a [u8] {
    let len = number(rest);
    take(rest, len.into())
}

fn take8<'a>(rest: &mut &'a [u8]) -> &'a [u8] {
    let len = take(rest, 1)[0];
    take(rest, len.into())
}

impl ClientParts {
    /// Takes a whole message apart.
    pub(crate) fn of(message: &[u8]) -> Self {
        assert_eq!(message[0], HandshakeType::CLIENT_HELLO.0);
        let rest = &mut &message[4..];
        Self {
            version: number(rest),
            random: take(rest, 32).try_into().unwrap(),
            session_id: take8(rest).to_vec(),
            suites: take16(rest)
                .chunks(2)
                .map(|pair| u16::from_be_bytes([pair[0], pair[1]]))
                .collect(),
            compression: take8(rest).to_vec(),
            extensions: Extensions::take(rest),
        }
    }

    pub(crate) fn message(&self) -> Vec<u8> {
        let suites: Vec<u8> = self.suites.iter().flat_map(|id| id.to_be_bytes()).collect();
        let body = [
            &self.version.to_be_bytes()[..],
            &self.random,
            &vector8(&self.session_id),
            &vector16(&suites),
            &vector8(&self.compression),
            &self.extensions.bytes(),
        ];
        message(HandshakeType::CLIENT_HELLO, &body.concat())
    }
}

impl ServerParts {
    /// Takes a whole message apart.
    pub(crate) fn of(message: &[u8]) -> Self {
        assert_eq!(message[0], HandshakeType::SERVER_HELLO.0);
        let rest = &mut &message[4..];
        Self {
            version: number(rest),
            random: take(rest, 32).try_into().unwrap(),
            session_id: take8(rest).to_vec(),
            suite: number(rest),
            compression: take(rest, 1)[0],
            extensions: Extensions::take(rest),
        }
    }

    pub(crate) fn message(&self) -> Vec<u8> {
        let body = [
            &self.version.to_be_bytes()[..],
            &self.random,
            &vector8(&self.session_id),
            &self.suite.to_be_bytes(),
            &[self.compression],
            &self.extensions.bytes(),
        ];
        message(HandshakeType::SERVER_HELLO, &body.concat())
    }
}
