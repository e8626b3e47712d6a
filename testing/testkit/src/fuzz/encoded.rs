//! Sessions as bytes, made without the engine's own code.

use waxwing_core::{Session, UnixMillis};

use super::script::Script;
use super::wire::vec;
use crate::fake::CERTIFICATE;

/// When the clock stands still: some day of 2027, as that of
/// [`ManualClock`](crate::sessions::ManualClock).
pub(super) const NOW: UnixMillis = 1_800_000_000_000;
/// Added to the age of every ticket.
pub(super) const AGE_ADD: u32 = 0x0909_0909;
/// How old every session is, in milliseconds.
pub(super) const AGE: u32 = 1000;
/// The secret of every session starts so.
pub(super) const SECRET: [u8; 48] = [0x5e; 48];
/// Of which so many bytes are a PSK.
pub(super) const PSK_LEN: usize = 32;

/// The fields of an encoded session (docs/internals/sessions.md).
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Encoded {
    pub(super) version: u16,
    pub(super) suite: u16,
    pub(super) flags: u8,
    pub(super) certificate_type: u8,
    pub(super) issued_at: UnixMillis,
    pub(super) authenticated_at: UnixMillis,
    pub(super) lifetime: u32,
    pub(super) age_add: u32,
    pub(super) max_early_data: u32,
    pub(super) secret: Vec<u8>,
    pub(super) name: Vec<u8>,
    pub(super) alpn: Vec<u8>,
    pub(super) context: Vec<u8>,
    pub(super) session_id: Vec<u8>,
    pub(super) ticket: Vec<u8>,
    pub(super) chain: Vec<Vec<u8>>,
}

impl Encoded {
    /// A client's session of TLS 1.3, for any early data.
    pub(super) fn tls13() -> Self {
        Self {
            version: 0x0304,
            suite: 0x1301,
            flags: 0,
            certificate_type: 0,
            issued_at: NOW - u64::from(AGE),
            authenticated_at: NOW - u64::from(AGE),
            lifetime: 43_200,
            age_add: AGE_ADD,
            max_early_data: 1000,
            secret: SECRET[..PSK_LEN].to_vec(),
            name: b"server.example".to_vec(),
            alpn: Vec::new(),
            context: Vec::new(),
            session_id: Vec::new(),
            ticket: super::known::TICKET.to_vec(),
            chain: vec![CERTIFICATE.to_vec()],
        }
    }

    /// A client's session of TLS 1.2, with a ticket.
    pub(super) fn tls12() -> Self {
        Self {
            version: 0x0303,
            suite: 0xc02b,
            flags: 1,
            secret: SECRET.to_vec(),
            ticket: super::known::TICKET12.to_vec(),
            max_early_data: 0,
            ..Self::tls13()
        }
    }

    /// The server's side of it, where the client showed no certificate.
    pub(super) fn of_server(self) -> Self {
        Self {
            ticket: Vec::new(),
            session_id: Vec::new(),
            chain: Vec::new(),
            ..self
        }
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        let chain: Vec<u8> = self.chain.iter().flat_map(|der| vec::<3>(der)).collect();
        let mut bytes = [
            b"WXS\x01".as_slice(),
            &self.version.to_be_bytes(),
            &self.suite.to_be_bytes(),
            &[self.flags, self.certificate_type],
            &self.issued_at.to_be_bytes(),
            &self.authenticated_at.to_be_bytes(),
            &self.lifetime.to_be_bytes(),
            &self.age_add.to_be_bytes(),
            &self.max_early_data.to_be_bytes(),
            &vec::<1>(&self.secret),
            &vec::<1>(&self.name),
            &vec::<1>(&self.alpn),
            &vec::<1>(&self.context),
            &vec::<1>(&self.session_id),
            &vec::<2>(&self.ticket),
            &vec::<3>(&chain),
        ]
        .concat();
        for bit in [2, 4] {
            if self.flags & bit != 0 {
                bytes.extend(vec::<3>(b"a list"));
            }
        }
        bytes
    }

    /// The session, whose fields have to be good.
    pub(super) fn session(&self) -> Session {
        Session::from_bytes(&self.bytes()).expect("a session")
    }

    /// Gives one field another value.
    pub(super) fn change(&mut self, script: &mut Script<'_>) {
        const SUITES: [u16; 7] = [0x1301, 0x1302, 0x1303, 0xc02b, 0xc02c, 0xcca9, 0];
        let choice = script.byte();
        let short = |script: &mut Script<'_>| script.bytes().to_vec();
        match choice % 16 {
            0 => self.version ^= 0x0304 ^ 0x0303,
            1 => self.suite = SUITES[usize::from(script.byte()) % SUITES.len()],
            2 => self.flags = script.byte() % 8,
            3 => self.certificate_type = script.byte() % 4,
            4 => self.issued_at = time(script),
            5 => self.authenticated_at = time(script),
            6 => self.lifetime = u32::from(script.word()),
            7 => self.age_add = u32::from(script.word()),
            8 => self.max_early_data = u32::from(script.word()),
            9 => self.secret = SECRET[..usize::from(script.byte() % 49)].to_vec(),
            10 => self.name = short(script),
            11 => self.alpn = short(script),
            12 => self.context = short(script),
            13 => self.session_id = vec![script.byte(); usize::from(script.byte() % 34)],
            14 => self.ticket = vec![script.byte(); usize::from(script.word() % 0x4100)],
            _ => {
                let count = usize::from(script.byte() % 12);
                self.chain = vec![short(script); count];
            }
        }
    }
}

/// A time near now, or far away.
fn time(script: &mut Script<'_>) -> UnixMillis {
    let choice = script.byte();
    let away = u64::from(script.word()) << (choice >> 2 & 31);
    match choice & 3 {
        0 => NOW.saturating_sub(away),
        1 => NOW.saturating_add(away),
        2 => away,
        _ => u64::MAX - away,
    }
}
