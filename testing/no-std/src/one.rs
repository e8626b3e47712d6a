//! One side alone, given bytes that nobody sent: all of the engine's code for that side is linked,
//! and none of the other's.

use alloc::sync::Arc;

use waxwing_core::{Answer, Buffer, Connection};

/// Calls everything that a driver calls.
pub extern "C" fn run() {
    let mut out = Buffer::new();
    let mut connection = connection(&mut out);
    let question = connection.question().is_some();
    let answered = connection.answer(Answer::Certificate(None), &mut out);
    let updated = connection.update_key(true, &mut out);
    let written = connection.write(&[b"data"], &mut out);
    let processed = connection.process(&mut [0; 8], &mut out);
    connection.close(&mut out);
    assert!(!question && answered.is_err() && updated.is_err() && written.is_err());
    assert!(processed.is_err(), "these bytes are no record");
}

#[cfg(feature = "client")]
fn connection(out: &mut Buffer) -> Connection {
    use crate::stub::{PROVIDER, TrustOne};
    let name = "device.example".parse().expect("a good name");
    let config = waxwing_core::ClientConfig::builder(&PROVIDER, Arc::new(TrustOne));
    let config = config.versions(crate::versions()).build();
    Connection::client(config.expect("a good configuration"), name, out).expect("a ClientHello")
}

#[cfg(feature = "server")]
fn connection(_: &mut Buffer) -> Connection {
    use crate::stub::{CERTIFICATE, PROVIDER, server_key};
    let chain = alloc::vec![CERTIFICATE.to_vec()];
    let identity = waxwing_core::CertifiedKey::new(chain, server_key());
    let config = waxwing_core::ServerConfig::builder(&PROVIDER, Arc::new(Arc::new(identity)));
    let config = config.versions(crate::versions()).build();
    Connection::server(config.expect("a good configuration"))
}
