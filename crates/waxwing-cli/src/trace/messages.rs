//! What a trace tells of the content of handshake messages.
//!
//! The engine has read every message before it is traced, or is about to refuse it; this is a
//! second, forgiving reading for people. What it cannot read it leaves out.

use serde_json::{Map, Value, json};
use waxwing::crypto::{CipherSuite, NamedGroup, SignatureScheme};
use waxwing::{
    CertificateCompressionAlgorithm, CertificateType, ExtensionType, HandshakeType, ProtocolVersion,
};

/// A handshake message's type and length (RFC 9846, Section 4).
const HEADER: usize = 4;

/// The random value that marks a HelloRetryRequest (RFC 9846, Section 4.2.3).
const RETRY_RANDOM: [u8; 32] = [
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
    0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
];

/// Reads the messages of one connection after the other.
#[derive(Debug, Default)]
pub(super) struct Messages {
    /// Whether the last ServerHello chose TLS 1.2, in which some messages have another form.
    tls12: bool,
}

impl Messages {
    /// The interesting parts of a message, header included; `null` if there are none to tell.
    pub(super) fn detail(&mut self, typ: HandshakeType, bytes: &[u8]) -> Value {
        let told = detail(typ, bytes, self.tls12);
        if typ == HandshakeType::SERVER_HELLO {
            // RFC 9846, Section 4.3.1: in TLS 1.3 an extension tells the version.
            self.tls12 = told.get("version").is_none();
        }
        told
    }
}

fn detail(typ: HandshakeType, bytes: &[u8], tls12: bool) -> Value {
    let mut body = Cursor(bytes.get(HEADER..).unwrap_or_default());
    let told = match typ {
        HandshakeType::CLIENT_HELLO => client_hello(&mut body),
        HandshakeType::SERVER_HELLO => server_hello(&mut body),
        HandshakeType::CERTIFICATE if tls12 => certificate12(&mut body),
        HandshakeType::CERTIFICATE_REQUEST if tls12 => certificate_request12(&mut body),
        HandshakeType::CERTIFICATE_REQUEST => certificate_request(&mut body),
        HandshakeType::CERTIFICATE_STATUS => certificate_status(&mut body),
        HandshakeType::SERVER_KEY_EXCHANGE => server_key_exchange(&mut body),
        HandshakeType::CLIENT_KEY_EXCHANGE => body
            .vec8()
            .map(|public| json!({ "public_length": public.len() })),
        HandshakeType::ENCRYPTED_EXTENSIONS => body.vec16().map(|list| {
            let mut told = Map::new();
            extensions(Cursor(list), Side::Answer, &mut told);
            told.into()
        }),
        HandshakeType::CERTIFICATE => certificate(&mut body),
        HandshakeType::COMPRESSED_CERTIFICATE => compressed_certificate(&mut body),
        HandshakeType::CERTIFICATE_VERIFY => certificate_verify(&mut body),
        HandshakeType::KEY_UPDATE => body
            .u8()
            .map(|asks| json!({ "asks_for_update": asks == 1 })),
        HandshakeType::NEW_SESSION_TICKET if tls12 => new_session_ticket12(&mut body),
        HandshakeType::NEW_SESSION_TICKET => body
            .u32()
            .map(|lifetime| json!({ "lifetime_seconds": lifetime })),
        _ => None,
    };
    told.unwrap_or(Value::Null)
}

/// Extensions look different in questions and answers.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Question,
    Answer,
    Retry,
}

fn client_hello(body: &mut Cursor<'_>) -> Option<Value> {
    let legacy_version = ProtocolVersion(body.u16()?);
    body.take(32)?;
    let session_id = body.vec8()?;
    let suites = Cursor(body.vec16()?).u16s(|id| CipherSuite(id).to_string());
    body.vec8()?;
    let mut told = Map::new();
    told.insert("legacy_version".into(), legacy_version.to_string().into());
    told.insert("legacy_session_id_length".into(), session_id.len().into());
    told.insert("cipher_suites".into(), suites.into());
    if let Some(list) = body.vec16() {
        extensions(Cursor(list), Side::Question, &mut told);
    }
    Some(told.into())
}

fn server_hello(body: &mut Cursor<'_>) -> Option<Value> {
    let legacy_version = ProtocolVersion(body.u16()?);
    let retry = body.take(32)? == RETRY_RANDOM;
    body.vec8()?;
    let suite = CipherSuite(body.u16()?);
    body.u8()?;
    let mut told = Map::new();
    told.insert("legacy_version".into(), legacy_version.to_string().into());
    told.insert("hello_retry_request".into(), retry.into());
    told.insert("cipher_suite".into(), suite.to_string().into());
    if let Some(list) = body.vec16() {
        let side = if retry { Side::Retry } else { Side::Answer };
        extensions(Cursor(list), side, &mut told);
    }
    Some(told.into())
}

fn certificate(body: &mut Cursor<'_>) -> Option<Value> {
    body.vec8()?;
    let mut list = Cursor(body.vec24()?);
    let mut lengths = Vec::new();
    while let Some(certificate) = list.vec24() {
        lengths.push(certificate.len());
        list.vec16()?;
    }
    Some(json!({ "certificate_lengths": lengths }))
}

/// RFC 5246, Section 7.4.2.
fn certificate12(body: &mut Cursor<'_>) -> Option<Value> {
    let mut list = Cursor(body.vec24()?);
    let lengths: Vec<_> = core::iter::from_fn(|| list.vec24().map(<[u8]>::len)).collect();
    Some(json!({ "certificate_lengths": lengths }))
}

/// RFC 5077, Section 3.3.
fn new_session_ticket12(body: &mut Cursor<'_>) -> Option<Value> {
    let lifetime = body.u32()?;
    let ticket = body.vec16()?;
    Some(json!({ "lifetime_seconds": lifetime, "ticket_length": ticket.len() }))
}

/// RFC 5246, Section 7.4.4.
fn certificate_request12(body: &mut Cursor<'_>) -> Option<Value> {
    let types = body.vec8()?;
    let schemes = Cursor(body.vec16()?).u16s(|id| SignatureScheme(id).to_string());
    Some(json!({
        "certificate_types": types,
        "signature_algorithms": schemes,
        "authorities": body.authorities()?,
    }))
}

/// RFC 9846, Section 4.4.2.
fn certificate_request(body: &mut Cursor<'_>) -> Option<Value> {
    let context = body.vec8()?;
    let mut told = Map::new();
    told.insert("context_length".into(), context.len().into());
    extensions(Cursor(body.vec16()?), Side::Question, &mut told);
    Some(told.into())
}

/// RFC 6066, Section 8.
fn certificate_status(body: &mut Cursor<'_>) -> Option<Value> {
    let status_type = body.u8()?;
    let response = body.vec24()?;
    Some(json!({ "status_type": status_type, "response_length": response.len() }))
}

/// RFC 8422, Section 5.4.
fn server_key_exchange(body: &mut Cursor<'_>) -> Option<Value> {
    // With a PSK a hint stands first, and nothing is signed.
    if body.u8()? != 3 {
        return None;
    }
    let group = NamedGroup(body.u16()?);
    let public = body.vec8()?;
    let mut told = certificate_verify(body)?;
    told["group"] = group.to_string().into();
    told["public_length"] = public.len().into();
    Some(told)
}

fn compressed_certificate(body: &mut Cursor<'_>) -> Option<Value> {
    let algorithm = CertificateCompressionAlgorithm(body.u16()?);
    let uncompressed = body.number(3)?;
    let compressed = body.vec24()?;
    Some(json!({
        "algorithm": algorithm.to_string(),
        "uncompressed_length": uncompressed,
        "compressed_length": compressed.len(),
    }))
}

fn certificate_verify(body: &mut Cursor<'_>) -> Option<Value> {
    let scheme = SignatureScheme(body.u16()?);
    let signature = body.vec16()?;
    Some(json!({
        "signature_scheme": scheme.to_string(),
        "signature_length": signature.len(),
    }))
}

/// Tells the type and length of all extensions, and the content of the well known ones.
fn extensions(mut list: Cursor<'_>, side: Side, told: &mut Map<String, Value>) {
    let mut types = Vec::new();
    while let (Some(typ), Some(content)) = (list.u16(), list.vec16()) {
        let typ = ExtensionType(typ);
        types.push(json!({ "type": typ.to_string(), "length": content.len() }));
        if let Some((name, value)) = known(typ, Cursor(content), side) {
            told.insert(name.into(), value);
        }
    }
    told.insert("extensions".into(), types.into());
}

fn known(typ: ExtensionType, mut content: Cursor<'_>, side: Side) -> Option<(&'static str, Value)> {
    let question = side == Side::Question;
    Some(match typ {
        ExtensionType::SERVER_NAME if question => {
            let mut names = Cursor(content.vec16()?);
            names.u8()?;
            ("server_name", text(names.vec16()?))
        }
        ExtensionType::SUPPORTED_VERSIONS if question => {
            let versions = Cursor(content.vec8()?).u16s(|id| ProtocolVersion(id).to_string());
            ("versions", versions.into())
        }
        ExtensionType::SUPPORTED_VERSIONS => (
            "version",
            ProtocolVersion(content.u16()?).to_string().into(),
        ),
        ExtensionType::SUPPORTED_GROUPS => {
            let groups = Cursor(content.vec16()?).u16s(|id| NamedGroup(id).to_string());
            ("groups", groups.into())
        }
        ExtensionType::SIGNATURE_ALGORITHMS => {
            let schemes = Cursor(content.vec16()?).u16s(|id| SignatureScheme(id).to_string());
            ("signature_algorithms", schemes.into())
        }
        ExtensionType::COMPRESS_CERTIFICATE => {
            let name = |id| CertificateCompressionAlgorithm(id).to_string();
            let ways = Cursor(content.vec8()?).u16s(name);
            ("certificate_compression", ways.into())
        }
        ExtensionType::CLIENT_CERTIFICATE_TYPE => {
            let types = content.certificate_types(question)?;
            ("client_certificate_types", types)
        }
        ExtensionType::SERVER_CERTIFICATE_TYPE => {
            let types = content.certificate_types(question)?;
            ("server_certificate_types", types)
        }
        ExtensionType::CERTIFICATE_AUTHORITIES => ("authorities", content.authorities()?.into()),
        ExtensionType::ALPN => {
            let mut names = Cursor(content.vec16()?);
            let names: Vec<_> = core::iter::from_fn(|| names.vec8().map(text)).collect();
            ("alpn", names.into())
        }
        ExtensionType::KEY_SHARE if question => {
            let mut shares = Cursor(content.vec16()?);
            let shares: Vec<_> = core::iter::from_fn(|| shares.key_share()).collect();
            ("key_shares", shares.into())
        }
        ExtensionType::KEY_SHARE if side == Side::Retry => {
            ("group", NamedGroup(content.u16()?).to_string().into())
        }
        ExtensionType::KEY_SHARE => ("key_share", content.key_share()?),
        _ => return None,
    })
}

fn text(bytes: &[u8]) -> Value {
    String::from_utf8_lossy(bytes).into()
}

/// Takes from the front; `None` where there is not enough.
struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    /// A number of `count` bytes, at most 4.
    fn number(&mut self, count: usize) -> Option<u32> {
        let bytes = self.take(count)?;
        Some(bytes.iter().fold(0, |n, byte| (n << 8) | u32::from(*byte)))
    }

    fn u8(&mut self) -> Option<u8> {
        self.number(1)?.try_into().ok()
    }

    fn u16(&mut self) -> Option<u16> {
        self.number(2)?.try_into().ok()
    }

    fn u32(&mut self) -> Option<u32> {
        self.number(4)
    }

    /// A vector whose length takes `count` bytes.
    fn vec(&mut self, count: usize) -> Option<&'a [u8]> {
        let length = self.number(count)?.try_into().ok()?;
        self.take(length)
    }

    fn vec8(&mut self) -> Option<&'a [u8]> {
        self.vec(1)
    }

    fn vec16(&mut self) -> Option<&'a [u8]> {
        self.vec(2)
    }

    fn vec24(&mut self) -> Option<&'a [u8]> {
        self.vec(3)
    }

    fn u16s(&mut self, name: impl Fn(u16) -> String) -> Vec<String> {
        core::iter::from_fn(|| self.u16().map(&name)).collect()
    }

    /// How many names of authorities there are.
    fn authorities(&mut self) -> Option<usize> {
        let mut names = Cursor(self.vec16()?);
        Some(core::iter::from_fn(|| names.vec16()).count())
    }

    /// A client's list, or the server's choice (RFC 7250, Section 3).
    fn certificate_types(&mut self, list: bool) -> Option<Value> {
        let types = if list { self.vec8()? } else { self.take(1)? };
        let names = types.iter().map(|id| CertificateType(*id).to_string());
        Some(names.collect::<Vec<_>>().into())
    }

    fn key_share(&mut self) -> Option<Value> {
        let group = NamedGroup(self.u16()?);
        let length = self.vec16()?.len();
        Some(json!({ "group": group.to_string(), "length": length }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A ClientHello with server_name, supported_groups and a cut key_share.
    const HELLO: &[u8] =
        b"\x01\0\0\0\x03\x03RRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRR\0\0\x02\x13\x01\x01\0\
        \0\x1e\0\0\0\x0b\0\x09\0\0\x06a.test\0\x0a\0\x04\0\x02\0\x1d\0\x33\0\x03\0\x09\0";

    #[test]
    fn hellos_are_told_with_names() {
        let told = Messages::default().detail(HandshakeType::CLIENT_HELLO, HELLO);
        assert_eq!(told["server_name"], "a.test");
        assert_eq!(told["cipher_suites"][0], "TLS_AES_128_GCM_SHA256");
        assert_eq!(told["groups"][0], "x25519");
        assert_eq!(told["extensions"][2]["type"], "key_share");
        assert!(told.get("key_shares").is_none());
        assert!(!told.to_string().contains("RRRR"));
    }

    #[test]
    fn the_form_of_a_message_follows_from_the_version() {
        let mut messages = Messages::default();
        let mut tell = |typ, body: &[u8]| messages.detail(typ, &[&[typ.0, 0, 0, 0], body].concat());
        let mut hello = [b"\x03\x03", [7; 32].as_slice(), b"\0\xc0\x2b\0"].concat();
        let told = tell(HandshakeType::SERVER_HELLO, &hello);
        assert_eq!(
            told["cipher_suite"],
            "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"
        );
        let old = b"\0\0\x05\0\0\x02ab";
        let told = tell(HandshakeType::CERTIFICATE, old);
        assert_eq!(told, json!({ "certificate_lengths": [2] }));
        let told = tell(
            HandshakeType::CERTIFICATE_REQUEST,
            b"\x01\x40\0\x02\x08\x07\0\x04\0\x02\x30\0",
        );
        let expected = json!({
            "certificate_types": [64], "signature_algorithms": ["ed25519"], "authorities": 1,
        });
        assert_eq!(told, expected);
        let told = tell(
            HandshakeType::SERVER_KEY_EXCHANGE,
            b"\x03\0\x1d\x02pk\x08\x07\0\x03sig",
        );
        let expected = json!({
            "group": "x25519", "public_length": 2,
            "signature_scheme": "ed25519", "signature_length": 3,
        });
        assert_eq!(told, expected);
        assert!(!told.to_string().contains("sig\""));

        let told = tell(
            HandshakeType::NEW_SESSION_TICKET,
            b"\0\0\x1c\x20\0\x06ticket",
        );
        assert_eq!(
            told,
            json!({ "lifetime_seconds": 7200, "ticket_length": 6 })
        );

        hello.extend(b"\0\x06\0\x2b\0\x02\x03\x04");
        tell(HandshakeType::SERVER_HELLO, &hello);
        let new = b"\0\0\0\x07\0\0\x02ab\0\0";
        let told = tell(HandshakeType::CERTIFICATE, new);
        assert_eq!(told, json!({ "certificate_lengths": [2] }));
        let told = tell(
            HandshakeType::CERTIFICATE_REQUEST,
            b"\0\0\x08\0\x0d\0\x04\0\x02\x08\x07",
        );
        assert_eq!(told["signature_algorithms"][0], "ed25519");
    }

    #[test]
    fn what_certificates_may_be_is_told_with_names() {
        let tell = |typ, content, side| known(typ, Cursor(content), side).unwrap().1;
        let typ = ExtensionType::COMPRESS_CERTIFICATE;
        let told = tell(typ, b"\x04\0\x02\0\x01", Side::Question);
        assert_eq!(told, json!(["brotli", "zlib"]));
        for typ in [
            ExtensionType::CLIENT_CERTIFICATE_TYPE,
            ExtensionType::SERVER_CERTIFICATE_TYPE,
        ] {
            let told = tell(typ, b"\x02\x02\0", Side::Question);
            assert_eq!(told, json!(["RawPublicKey", "X509"]));
            assert_eq!(tell(typ, b"\x02", Side::Answer), json!(["RawPublicKey"]));
        }
    }

    #[test]
    fn a_compressed_certificate_is_told_by_its_lengths() {
        let message = b"\x19\0\0\x0a\0\x02\0\x10\0\0\0\x02xy";
        let told = Messages::default().detail(HandshakeType::COMPRESSED_CERTIFICATE, message);
        let expected = json!({
            "algorithm": "brotli",
            "uncompressed_length": 4096,
            "compressed_length": 2,
        });
        assert_eq!(told, expected);
    }

    #[test]
    fn no_cut_of_a_message_is_a_problem() {
        let types = (0..=u8::MAX).map(HandshakeType);
        for typ in types {
            for length in 0..=HELLO.len() {
                for tls12 in [false, true] {
                    Messages { tls12 }.detail(typ, &HELLO[..length]);
                }
            }
        }
    }
}
