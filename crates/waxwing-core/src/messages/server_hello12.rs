//! The extensions of a ServerHello of TLS 1.2 (RFC 5246, Section 7.4.1.4).

use super::extensions::{
    self, ExtensionSet, Place, alpn, certificate_type, ec_point_formats, max_fragment_length,
    record_size_limit, renegotiation_info, signed_certificate_timestamp,
};
use super::registry::{CertificateType, ExtensionType};
use crate::Error;
use crate::codec::{Reader, Writer};
use crate::error::PeerError;

/// What a server of TLS 1.2 answers to the client's extensions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ServerHelloExtensions12<'a> {
    /// `renegotiated_connection`, if the server knows of secure renegotiation.
    pub(crate) renegotiation_info: Option<&'a [u8]>,
    pub(crate) extended_main_secret: bool,
    /// The ECPointFormats that the server reads, not empty.
    pub(crate) ec_point_formats: Option<&'a [u8]>,
    /// Whether the server used the name that the client gave.
    pub(crate) server_name: bool,
    /// Whether a CertificateStatus may follow the Certificate.
    pub(crate) status_request: bool,
    /// An encoded SignedCertificateTimestampList.
    pub(crate) scts: Option<&'a [u8]>,
    /// Whether a NewSessionTicket will follow.
    pub(crate) session_ticket: bool,
    /// The application protocol that the server chose.
    pub(crate) alpn: Option<&'a [u8]>,
    /// 1 to 4.
    pub(crate) max_fragment_length: Option<u8>,
    /// In bytes of plaintext.
    pub(crate) record_size_limit: Option<u16>,
    pub(crate) client_certificate_type: Option<CertificateType>,
    pub(crate) server_certificate_type: Option<CertificateType>,
}

impl<'a> ServerHelloExtensions12<'a> {
    /// Reads the content of the `extensions` vector; `offered` are the extensions of the
    /// ClientHello.
    pub(crate) fn read(block: &'a [u8], offered: &ExtensionSet) -> Result<Self, Error> {
        let mut found = Self::default();
        let reader = Reader::new("extensions", block);
        extensions::walk(
            reader,
            Place::ServerHello12,
            Some(offered),
            &mut |typ, data| found.read_one(typ, data),
        )?;
        // RFC 8449, Section 5.
        if found.max_fragment_length.is_some() && found.record_size_limit.is_some() {
            return Err(PeerError::TwoSizeLimits.into());
        }
        Ok(found)
    }

    fn read_one(&mut self, typ: ExtensionType, data: Reader<'a>) -> Result<(), Error> {
        let flag = match typ {
            ExtensionType::EXTENDED_MAIN_SECRET => &mut self.extended_main_secret,
            ExtensionType::SERVER_NAME => &mut self.server_name,
            ExtensionType::STATUS_REQUEST => &mut self.status_request,
            ExtensionType::SESSION_TICKET => &mut self.session_ticket,
            _ => return self.read_content(typ, data),
        };
        data.finish()?;
        *flag = true;
        Ok(())
    }

    fn read_content(&mut self, typ: ExtensionType, data: Reader<'a>) -> Result<(), Error> {
        match typ {
            ExtensionType::RENEGOTIATION_INFO => {
                self.renegotiation_info = Some(renegotiation_info::read(data)?);
            }
            ExtensionType::EC_POINT_FORMATS => {
                self.ec_point_formats = Some(ec_point_formats::read(data)?);
            }
            ExtensionType::SIGNED_CERTIFICATE_TIMESTAMP => {
                self.scts = Some(signed_certificate_timestamp::read(data)?);
            }
            ExtensionType::ALPN => self.alpn = Some(alpn::read_selected(data)?),
            ExtensionType::MAX_FRAGMENT_LENGTH => {
                self.max_fragment_length = Some(max_fragment_length::read(data)?);
            }
            ExtensionType::RECORD_SIZE_LIMIT => {
                self.record_size_limit = Some(record_size_limit::read(data)?);
            }
            ExtensionType::CLIENT_CERTIFICATE_TYPE => {
                self.client_certificate_type = Some(certificate_type::read_selected(data)?);
            }
            ExtensionType::SERVER_CERTIFICATE_TYPE => {
                self.server_certificate_type = Some(certificate_type::read_selected(data)?);
            }
            _ => {}
        }
        Ok(())
    }

    /// Writes the content of the `extensions` vector.
    pub(crate) fn write(&self, w: &mut Writer<'_>) -> Result<(), Error> {
        let flags = [
            (ExtensionType::SERVER_NAME, self.server_name),
            (
                ExtensionType::EXTENDED_MAIN_SECRET,
                self.extended_main_secret,
            ),
            (ExtensionType::STATUS_REQUEST, self.status_request),
            (ExtensionType::SESSION_TICKET, self.session_ticket),
        ];
        for (typ, _) in flags.into_iter().filter(|(_, set)| *set) {
            extensions::write(w, typ, |_| Ok(()))?;
        }
        if let Some(connection) = self.renegotiation_info {
            extensions::write(w, ExtensionType::RENEGOTIATION_INFO, |w| {
                renegotiation_info::write_renegotiation_info(w, connection)
            })?;
        }
        if let Some(formats) = self.ec_point_formats {
            extensions::write(w, ExtensionType::EC_POINT_FORMATS, |w| {
                ec_point_formats::write_ec_point_formats(w, formats)
            })?;
        }
        if let Some(name) = self.alpn {
            extensions::write(w, ExtensionType::ALPN, |w| {
                alpn::write_selected_alpn(w, name)
            })?;
        }
        if let Some(list) = self.scts {
            extensions::write(w, ExtensionType::SIGNED_CERTIFICATE_TIMESTAMP, |w| {
                signed_certificate_timestamp::write_scts(w, list)
            })?;
        }
        if let Some(code) = self.max_fragment_length {
            extensions::write(w, ExtensionType::MAX_FRAGMENT_LENGTH, |w| {
                max_fragment_length::write_max_fragment_length(w, code)
            })?;
        }
        if let Some(limit) = self.record_size_limit {
            extensions::write(w, ExtensionType::RECORD_SIZE_LIMIT, |w| {
                record_size_limit::write_record_size_limit(w, limit)
            })?;
        }
        if let Some(typ) = self.client_certificate_type {
            extensions::write(w, ExtensionType::CLIENT_CERTIFICATE_TYPE, |w| {
                certificate_type::write_selected_certificate_type(w, typ)
            })?;
        }
        if let Some(typ) = self.server_certificate_type {
            extensions::write(w, ExtensionType::SERVER_CERTIFICATE_TYPE, |w| {
                certificate_type::write_selected_certificate_type(w, typ)
            })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{assert_exact, block, malformed, set, written};
    use super::*;
    use crate::error::Problem;

    fn offered() -> ExtensionSet {
        set(&[
            ExtensionType::SERVER_NAME,
            ExtensionType::MAX_FRAGMENT_LENGTH,
            ExtensionType::STATUS_REQUEST,
            ExtensionType::SUPPORTED_GROUPS,
            ExtensionType::EC_POINT_FORMATS,
            ExtensionType::ALPN,
            ExtensionType::CLIENT_CERTIFICATE_TYPE,
            ExtensionType::SERVER_CERTIFICATE_TYPE,
            ExtensionType::EXTENDED_MAIN_SECRET,
            ExtensionType::RECORD_SIZE_LIMIT,
            ExtensionType::SESSION_TICKET,
            ExtensionType::SUPPORTED_VERSIONS,
            ExtensionType::PSK_KEY_EXCHANGE_MODES,
            ExtensionType::KEY_SHARE,
            ExtensionType::RENEGOTIATION_INFO,
            ExtensionType::SIGNED_CERTIFICATE_TIMESTAMP,
        ])
    }

    fn error(entries: &[(ExtensionType, &[u8])]) -> Error {
        ServerHelloExtensions12::read(&block(entries), &offered()).unwrap_err()
    }

    fn full() -> ServerHelloExtensions12<'static> {
        ServerHelloExtensions12 {
            renegotiation_info: Some(b"both"),
            extended_main_secret: true,
            ec_point_formats: Some(&[0]),
            server_name: true,
            status_request: true,
            session_ticket: true,
            alpn: Some(b"h2"),
            scts: Some(&[0, 3, 0, 1, 9]),
            max_fragment_length: None,
            record_size_limit: Some(64),
            client_certificate_type: Some(CertificateType::RAW_PUBLIC_KEY),
            server_certificate_type: Some(CertificateType::X509),
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let old = ServerHelloExtensions12 {
            max_fragment_length: Some(1),
            ..Default::default()
        };
        for extensions in [full(), old, ServerHelloExtensions12::default()] {
            let block = written(|w| extensions.write(w));
            let read = ServerHelloExtensions12::read(&block, &offered());
            assert_eq!(read, Ok(extensions));
        }
        assert!(written(|w| ServerHelloExtensions12::default().write(w)).is_empty());
    }

    #[test]
    fn can_be_cut_between_extensions_only() {
        let block = written(|w| full().write(w));
        let lens = extensions::iter(&block).map(|mut one| one.data.take_rest().len() + 4);
        let ends: alloc::vec::Vec<usize> = lens
            .scan(0, |end, len| {
                *end += len;
                Some(*end - len)
            })
            .collect();
        assert_eq!(ends.len(), 11);
        assert_exact(&block, &ends, |block| {
            ServerHelloExtensions12::read(block, &offered()).map(|_| ())
        });
    }

    #[test]
    fn contents_are_checked() {
        for typ in [
            ExtensionType::EXTENDED_MAIN_SECRET,
            ExtensionType::SERVER_NAME,
            ExtensionType::STATUS_REQUEST,
            ExtensionType::SESSION_TICKET,
            ExtensionType::CLIENT_CERTIFICATE_TYPE,
            ExtensionType::SERVER_CERTIFICATE_TYPE,
        ] {
            let trailing = malformed(typ.name().unwrap(), Problem::Trailing);
            assert_eq!(error(&[(typ, &[1, 0])]), trailing);
        }
        let bad = Error::from(PeerError::BadExtension);
        assert_eq!(error(&[(ExtensionType::MAX_FRAGMENT_LENGTH, &[5])]), bad);
        assert_eq!(error(&[(ExtensionType::RECORD_SIZE_LIMIT, &[0, 63])]), bad);
        let two_names = (ExtensionType::ALPN, &b"\0\x04\x01a\x01b"[..]);
        let trailing = malformed("protocol_name_list", Problem::Trailing);
        assert_eq!(error(&[two_names]), trailing);
        let empty = malformed("ec_point_format_list", Problem::Length);
        assert_eq!(error(&[(ExtensionType::EC_POINT_FORMATS, &[0])]), empty);
        let short = malformed("renegotiated_connection", Problem::Short);
        let cut = (ExtensionType::RENEGOTIATION_INFO, &[1][..]);
        assert_eq!(error(&[cut]), short);
    }

    #[test]
    fn the_size_of_records_is_limited_in_one_way() {
        let both = [
            (ExtensionType::MAX_FRAGMENT_LENGTH, &[1][..]),
            (ExtensionType::RECORD_SIZE_LIMIT, &[0, 64]),
        ];
        assert_eq!(error(&both), PeerError::TwoSizeLimits.into());
    }

    #[test]
    fn only_offered_extensions_in_their_place_once() {
        let cases = [
            (
                ExtensionType::ENCRYPT_THEN_MAC,
                PeerError::UnsolicitedExtension,
            ),
            (ExtensionType(0xfff0), PeerError::UnsolicitedExtension),
            (ExtensionType::KEY_SHARE, PeerError::MisplacedExtension),
            (
                ExtensionType::SUPPORTED_VERSIONS,
                PeerError::MisplacedExtension,
            ),
            (
                ExtensionType::PSK_KEY_EXCHANGE_MODES,
                PeerError::MisplacedExtension,
            ),
        ];
        for (typ, rule) in cases {
            assert_eq!(error(&[(typ, &[])]), rule.into(), "{typ}");
        }
        let name = (ExtensionType::SERVER_NAME, &[][..]);
        assert_eq!(error(&[name, name]), PeerError::DuplicateExtension.into());
    }

    #[test]
    fn groups_are_let_pass() {
        let groups = block(&[(ExtensionType::SUPPORTED_GROUPS, &[0, 2, 0, 29])]);
        let read = ServerHelloExtensions12::read(&groups, &offered());
        assert_eq!(read, Ok(ServerHelloExtensions12::default()));
    }
}
