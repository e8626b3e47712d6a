//! Certificate messages that came compressed (RFC 8879).

use alloc::borrow::Cow;
use alloc::vec;

use crate::config::compression::CertDecompressor;
use crate::messages::HandshakeType;
use crate::messages::compressed_certificate::CompressedCertificate;
use crate::record::joiner::Message;
use crate::{Error, PeerError};

/// The body of a Certificate message that may have come compressed. `offered` is what the peer
/// was told.
pub(crate) fn certificate_body<'a>(
    message: &Message<'a>,
    offered: &[&'static dyn CertDecompressor],
) -> Result<Cow<'a, [u8]>, Error> {
    if message.typ != HandshakeType::COMPRESSED_CERTIFICATE {
        return Ok(message.body().into());
    }
    let message = CompressedCertificate::read(message.body())?;
    // RFC 8879, Section 4.
    let decompressor = offered
        .iter()
        .find(|known| known.algorithm() == message.algorithm)
        .ok_or(PeerError::CompressionNotOffered)?;
    let mut body = vec![0; message.uncompressed_len];
    decompressor
        .decompress(message.compressed, &mut body)
        .map_err(|_| PeerError::BadCompression)?;
    Ok(body.into())
}
