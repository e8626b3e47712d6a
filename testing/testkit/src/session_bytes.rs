//! Sessions out of nothing, for stores that only keep them.

use waxwing_core::{Session, UnixMillis};

/// The fields of a session that tests care about, to be written in its public layout.
#[derive(Clone, Debug)]
pub struct SessionBytes {
    /// Of the protocol.
    pub version: u16,
    /// When it was made.
    pub issued_at: UnixMillis,
    /// In seconds.
    pub lifetime: u32,
    /// In bytes; tests tell sessions by it.
    pub max_early_data: u32,
    /// Of the server.
    pub server_name: &'static str,
    /// Bytes of the ticket that a client has.
    pub ticket: usize,
    /// Bytes of the one certificate of the peer; 0 for none.
    pub certificate: usize,
}

impl SessionBytes {
    /// A server's session of TLS 1.3.
    pub const TLS13: Self = Self {
        version: 0x0304,
        issued_at: 0,
        lifetime: 43_200,
        max_early_data: 0,
        server_name: "www.example.org",
        ticket: 0,
        certificate: 0,
    };
    /// A server's session of TLS 1.2.
    pub const TLS12: Self = Self {
        version: 0x0303,
        ..Self::TLS13
    };

    /// The bytes.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let is_old = self.version == 0x0303;
        let (suite, secret): (u16, usize) = if is_old { (0xc02f, 48) } else { (0x1302, 48) };
        let mut bytes = b"WXS\x01".to_vec();
        bytes.extend(self.version.to_be_bytes());
        bytes.extend(suite.to_be_bytes());
        bytes.extend([u8::from(is_old), 0]);
        bytes.extend(self.issued_at.to_be_bytes());
        bytes.extend(self.issued_at.to_be_bytes());
        bytes.extend(self.lifetime.to_be_bytes());
        bytes.extend([1, 2, 3, 4]);
        bytes.extend(self.max_early_data.to_be_bytes());
        push(&mut bytes, 1, &vec![0x5e; secret]);
        push(&mut bytes, 1, self.server_name.as_bytes());
        push(&mut bytes, 1, b"h2");
        push(&mut bytes, 1, b"");
        push(&mut bytes, 1, b"");
        push(&mut bytes, 2, &vec![0x71; self.ticket]);
        let mut chain = Vec::new();
        if self.certificate > 0 {
            push(&mut chain, 3, &vec![0x30; self.certificate]);
        }
        push(&mut bytes, 3, &chain);
        bytes
    }

    /// The session.
    ///
    /// # Panics
    /// If it has fields that no session has.
    #[must_use]
    pub fn session(&self) -> Session {
        Session::from_bytes(&self.bytes()).expect("a session")
    }
}

/// Appends `field` after its length in so many bytes.
fn push(bytes: &mut Vec<u8>, width: usize, field: &[u8]) {
    let len = field.len().to_be_bytes();
    bytes.extend(&len[len.len() - width..]);
    bytes.extend(field);
}
