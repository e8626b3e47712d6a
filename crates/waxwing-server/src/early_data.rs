//! Early data in HTTP (RFC 8470): what a server does with a request that may be a copy.
//!
//! A request in early data may have been sent before, by somebody who recorded it. No guard sees
//! every copy, above all not behind several servers; so what has effects must wait for the end of the
//! handshake, or be sent again. This module knows the rules and no HTTP library: methods and headers
//! are plain strings and numbers.
//!
//! ```
//! use waxwing_server::early_data::{self, Decision, Request};
//!
//! let request = Request {
//!     method: "POST",
//!     is_early: true,
//!     was_early: false,
//! };
//! match early_data::decide(&request) {
//!     Decision::Serve => { /* as any other request */ }
//!     Decision::Wait => { /* serve it when the handshake is complete */ }
//!     Decision::TooEarly => { /* answer with the status `early_data::TOO_EARLY` */ }
//! }
//! assert_eq!(early_data::decide(&request), Decision::Wait);
//! ```

/// The header field by which an intermediary tells the next server that a request was received in
/// early data (RFC 8470, Section 5.1), in lower case as HTTP/2 and HTTP/3 want it.
pub const HEADER: &str = "early-data";
/// Its only value.
pub const HEADER_VALUE: &str = "1";
/// The status code 425 Too Early (RFC 8470, Section 5.2).
pub const TOO_EARLY: u16 = 425;
/// What stands behind [`TOO_EARLY`] in HTTP/1.1.
pub const TOO_EARLY_REASON: &str = "Too Early";

/// A request, as far as early data matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request<'a> {
    /// Its method, as it was sent.
    pub method: &'a str,
    /// Whether any part of it was received in early data, on our own connection, whose handshake is
    /// not complete yet.
    pub is_early: bool,
    /// Whether it has a header field [`HEADER`]: somebody before us received it in early data. Its
    /// value, and whether there is more than one, does not matter (RFC 8470, Section 5.1).
    pub was_early: bool,
}

/// What to do with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Serve it now.
    Serve,
    /// Serve it when our handshake is complete: then it is known to be no copy (RFC 8470,
    /// Section 3).
    Wait,
    /// Answer with [`TOO_EARLY`]. Our own handshake would prove nothing, as the client's is with
    /// somebody else; it will send the request again when that is complete.
    TooEarly,
}

/// What a server does that serves safe methods at once, and nothing else.
///
/// A server that knows which of its resources can be asked twice for may decide otherwise
/// (RFC 8470, Section 3).
#[must_use]
pub fn decide(request: &Request<'_>) -> Decision {
    if is_safe(request.method) {
        Decision::Serve
    } else if request.was_early {
        Decision::TooEarly
    } else if request.is_early {
        Decision::Wait
    } else {
        Decision::Serve
    }
}

/// Whether a method has no effect that a client asks for, so that a copy of the request does no harm:
/// GET, HEAD, OPTIONS and TRACE (RFC 9110, Section 9.2.1). Methods are case-sensitive, and an unknown
/// one is not safe.
#[must_use]
pub fn is_safe(method: &str) -> bool {
    matches!(method, "GET" | "HEAD" | "OPTIONS" | "TRACE")
}

/// Whether an intermediary must add the header field [`HEADER`] to a request that it forwards: if it
/// forwards it before its own handshake is complete, and nobody has added one. One that is there must
/// stay (RFC 8470, Section 5.1).
///
/// Only a next server that is known to understand the field may be sent such a request; for any other
/// the intermediary has to wait for its handshake (Section 5.1).
#[must_use]
pub const fn adds_header(request: &Request<'_>) -> bool {
    request.is_early && !request.was_early
}

/// Whether an intermediary passes a 425 of the next server on to its client, rather than sending the
/// request again itself when its own handshake is complete: if the client's request already had the
/// header field, or came in no early data, somebody before us has to (RFC 8470, Section 5.2).
#[must_use]
pub const fn forwards_too_early(request: &Request<'_>) -> bool {
    request.was_early || !request.is_early
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn request(method: &str, is_early: bool, was_early: bool) -> Request<'_> {
        Request {
            method,
            is_early,
            was_early,
        }
    }

    #[test]
    fn safe_methods_are_served_and_others_wait_or_are_too_early() {
        for method in ["GET", "HEAD", "OPTIONS", "TRACE"] {
            for (is_early, was_early) in
                [(false, false), (true, false), (false, true), (true, true)]
            {
                let decision = decide(&request(method, is_early, was_early));
                assert_eq!(decision, Decision::Serve, "{method}");
            }
        }
        for method in [
            "POST", "PUT", "DELETE", "PATCH", "CONNECT", "get", "GET ", "", "QUERY",
        ] {
            let decision = |is_early, was_early| decide(&request(method, is_early, was_early));
            assert_eq!(decision(false, false), Decision::Serve, "{method}");
            assert_eq!(decision(true, false), Decision::Wait, "{method}");
            assert_eq!(decision(false, true), Decision::TooEarly, "{method}");
            assert_eq!(decision(true, true), Decision::TooEarly, "{method}");
        }
    }

    #[test]
    fn the_header_is_added_by_the_first_that_forwards_early() {
        assert!(adds_header(&request("GET", true, false)));
        assert!(!adds_header(&request("GET", true, true)), "it is there");
        assert!(!adds_header(&request("GET", false, false)));
        assert_eq!((HEADER, HEADER_VALUE, TOO_EARLY), ("early-data", "1", 425));
    }

    #[test]
    fn too_early_goes_back_to_who_sent_early() {
        assert!(
            !forwards_too_early(&request("POST", true, false)),
            "we can send it again"
        );
        assert!(forwards_too_early(&request("POST", true, true)));
        assert!(forwards_too_early(&request("POST", false, true)));
        assert!(forwards_too_early(&request("POST", false, false)));
    }
}
