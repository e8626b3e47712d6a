//! How a TLS error looks in an [`io::Error`].

use std::io;

use waxwing_core::{Error, Misuse};

/// Wraps an error; [`tls_error`] finds it again.
pub(crate) fn into_io(error: Error) -> io::Error {
    let kind = match &error {
        Error::Truncated | Error::HandshakeCut => io::ErrorKind::UnexpectedEof,
        Error::Alert(_) => io::ErrorKind::ConnectionAborted,
        Error::Misuse(Misuse::WriteClosed) => io::ErrorKind::BrokenPipe,
        // Nothing that the caller could do otherwise, but to begin anew.
        Error::Misuse(Misuse::KeyWornOut) => io::ErrorKind::Other,
        Error::Misuse(_) => io::ErrorKind::InvalidInput,
        Error::Crypto(_) => io::ErrorKind::Other,
        _ => io::ErrorKind::InvalidData,
    };
    io::Error::new(kind, error)
}

/// The TLS error behind an error of a stream; `None` if the transport failed.
///
/// ```
/// # fn report(error: &std::io::Error) {
/// match waxwing::tls_error(error) {
///     Some(waxwing::Error::Certificate(rejection)) => eprintln!("not trusted: {rejection}"),
///     Some(error) => eprintln!("TLS failed: {error}"),
///     None => eprintln!("the network failed: {error}"),
/// }
/// # }
/// ```
#[must_use]
pub fn tls_error(error: &io::Error) -> Option<&Error> {
    error.get_ref()?.downcast_ref()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_is_found_again_and_truncation_is_an_unexpected_end() {
        let error = into_io(Error::Truncated);
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
        assert_eq!(tls_error(&error), Some(&Error::Truncated));
        assert_eq!(tls_error(&io::ErrorKind::TimedOut.into()), None);
        assert_eq!(tls_error(&io::Error::other("something else")), None);
    }
}
