//! The runner's flags, read.
//!
//! Their meaning is that of BoringSSL's own shim. What nobody here has heard of, and what asks
//! for a feature that is absent, is told apart from what is wrong, because the runner skips the
//! first two.

mod read;
#[cfg(test)]
mod tests;

use core::ops::RangeInclusive;
use std::path::PathBuf;

use waxwing_core::{ProtocolVersion, ProtocolVersions};

use crate::absent::{self, Feature};
use crate::policy::Policy;

/// Seconds that a server's sessions live.
pub(crate) const LIFETIME: u32 = 7200;

/// Why the flags cannot be followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// They ask for a feature that is absent.
    Absent(Feature),
    /// A flag that is not known.
    Unknown(String),
    /// A value that does not fit its flag.
    Malformed(String),
}

/// A key that both sides know, to be imported (RFC 9258).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct PskImport {
    pub(crate) key: Vec<u8>,
    pub(crate) identity: Vec<u8>,
    pub(crate) context: Vec<u8>,
    /// The key is for SHA-384, not SHA-256.
    pub(crate) sha384: bool,
}

/// A certificate and its key, or a key alone, as files in PEM; or a key that both sides know.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct CredentialFiles {
    /// The key is shown without a certificate.
    pub(crate) raw: bool,
    pub(crate) certificate: Option<PathBuf>,
    pub(crate) key: Option<PathBuf>,
    pub(crate) signing_prefs: Vec<u16>,
    pub(crate) ocsp: Option<Vec<u8>>,
    /// Signed certificate timestamps.
    pub(crate) scts: Option<Vec<u8>>,
    /// Used only for peers that name an issuer of its chain.
    pub(crate) must_match_issuer: bool,
    pub(crate) psk: Option<PskImport>,
}

/// All connections of a test.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Plan {
    pub(crate) initial: Options,
    /// How often the session is resumed.
    pub(crate) resumptions: usize,
    pub(crate) resumed: Options,
    /// What is true of a client's resumed connection once its early data was rejected.
    pub(crate) retry: Options,
}

/// Everything a test asks for on one connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Options {
    // The transport.
    pub(crate) port: u16,
    pub(crate) ipv6: bool,
    pub(crate) shim_id: u64,
    /// Bytes come one by one, and no question is answered at once.
    pub(crate) piecemeal: bool,

    // The configuration.
    pub(crate) server: bool,
    pub(crate) min_version: Option<u16>,
    pub(crate) max_version: Option<u16>,
    pub(crate) switched_off: Vec<u16>,
    /// Used where none of the next will do.
    pub(crate) credential: CredentialFiles,
    pub(crate) more_credentials: Vec<CredentialFiles>,
    pub(crate) host_name: Option<String>,
    pub(crate) curves: Vec<u16>,
    pub(crate) key_shares: Option<Vec<u16>>,
    /// What the server is said to know.
    pub(crate) server_groups: Vec<u16>,
    pub(crate) policy: Option<&'static Policy>,
    pub(crate) verify_prefs: Vec<u16>,
    pub(crate) verify_fail: bool,
    pub(crate) verify_peer: bool,
    /// The types of the peer's certificate that will do; X.509 if there are none.
    pub(crate) accepted_types: Vec<u8>,
    /// The types that a client says to have; those of its credentials if there are none.
    pub(crate) client_types: Vec<u8>,
    /// A client without a certificate is refused.
    pub(crate) require_client_certificate: bool,
    /// The authorities that a server tells its clients of.
    pub(crate) client_authorities: Vec<Vec<u8>>,
    pub(crate) require_secure_renegotiation: bool,
    pub(crate) advertise_alpn: Vec<Vec<u8>>,
    pub(crate) select_alpn: Option<Vec<u8>>,
    pub(crate) reject_alpn: bool,
    pub(crate) max_sent_fragment: Option<u16>,
    pub(crate) grease: bool,
    pub(crate) permute_extensions: bool,
    /// Ways of compressing certificates to know.
    pub(crate) compression: Vec<u16>,
    pub(crate) ocsp_stapling: bool,
    pub(crate) request_scts: bool,
    /// What is stapled to the server's certificate will not do.
    pub(crate) reject_ocsp: bool,
    /// It is not stapled.
    pub(crate) decline_ocsp: bool,
    pub(crate) read_hello_first: bool,
    pub(crate) client_suite_order: bool,
    /// A client that looks like JDK 11 is not to be served in TLS 1.3.
    pub(crate) jdk11_workaround: bool,
    /// Nothing is resumed by ticket.
    pub(crate) no_ticket: bool,
    /// The server gives none out.
    pub(crate) skip_ticket: bool,
    pub(crate) early_data: bool,
    /// A peer is judged again where its session is resumed.
    pub(crate) reverify_on_resume: bool,
    /// In seconds, from this connection to the next.
    pub(crate) resumption_delay: u64,

    // What happens on the connection.
    pub(crate) implicit_handshake: bool,
    /// The client's first data waits until this message has come.
    pub(crate) early_write_after: Option<u8>,
    pub(crate) writes_first: bool,
    pub(crate) initial_write: Vec<u8>,
    pub(crate) initial_writes: usize,
    pub(crate) read_size: usize,
    /// The first data is written, but does not get out before something was read.
    pub(crate) unfinished_write: bool,
    pub(crate) export_between_reads: bool,
    pub(crate) shuts_down: bool,
    pub(crate) check_close_notify: bool,
    pub(crate) key_update: bool,
    pub(crate) key_update_before_read: bool,
    pub(crate) export_length: usize,
    pub(crate) export_label: Vec<u8>,
    pub(crate) export_context: Vec<u8>,
    pub(crate) use_export_context: bool,
    pub(crate) export_traffic_secrets: bool,

    // What has to come of it.
    pub(crate) expect: Expectations,
}

/// What has to be true once the handshake is complete.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Expectations {
    pub(crate) version: Option<u16>,
    pub(crate) cipher: Option<u16>,
    pub(crate) curve: Option<u16>,
    pub(crate) peer_signature_scheme: Option<u16>,
    pub(crate) alpn: Option<Vec<u8>>,
    pub(crate) advertised_alpn: Option<Vec<Vec<u8>>>,
    pub(crate) server_name: Option<String>,
    pub(crate) no_server_name: bool,
    pub(crate) ocsp: Option<Vec<u8>>,
    /// Signed certificate timestamps.
    pub(crate) scts: Option<Vec<u8>>,
    /// The number of the credential to be used, and -1 for the one without a number.
    pub(crate) credential: Option<i32>,
    pub(crate) peer_certificate: Option<PathBuf>,
    pub(crate) no_peer_certificate: bool,
    pub(crate) peer_certificate_type: Option<u8>,
    /// The SHA-256 hash of the peer's raw public key.
    pub(crate) peer_raw_key: Option<Vec<u8>>,
    pub(crate) peer_verify_prefs: Vec<u16>,
    pub(crate) retry: Option<bool>,
    /// Nothing is resumed although a session was there.
    pub(crate) session_miss: bool,
    /// A client comes by another session in TLS 1.2 although it resumed one.
    pub(crate) renewal: bool,
    /// A client comes by no session to resume.
    pub(crate) no_session: bool,
    /// Whether the server keeps the session itself.
    pub(crate) session_id: Option<bool>,
    /// The session that a client comes by is good for early data.
    pub(crate) early_data_ticket: bool,
    /// Whether early data is accepted.
    pub(crate) early_data: Option<bool>,
    pub(crate) early_data_reason: Option<String>,
    /// A client does not even offer it.
    pub(crate) no_early_offer: bool,
    pub(crate) extended_main_secret: bool,
    pub(crate) secure_renegotiation: Option<bool>,
    /// The kinds of keys that a client of TLS 1.2 hears of.
    pub(crate) certificate_types: Option<Vec<u8>>,
    /// The authorities that a client hears of.
    pub(crate) authorities: Option<Vec<Vec<u8>>>,
    /// The handshake must fail: to complete it is an error that no test wants.
    pub(crate) never_done: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            port: 0,
            ipv6: false,
            shim_id: 0,
            piecemeal: false,
            server: false,
            min_version: None,
            max_version: None,
            switched_off: Vec::new(),
            credential: CredentialFiles::default(),
            more_credentials: Vec::new(),
            host_name: None,
            curves: Vec::new(),
            key_shares: None,
            server_groups: Vec::new(),
            policy: None,
            verify_prefs: Vec::new(),
            verify_fail: false,
            verify_peer: false,
            accepted_types: Vec::new(),
            client_types: Vec::new(),
            require_client_certificate: false,
            client_authorities: Vec::new(),
            require_secure_renegotiation: false,
            advertise_alpn: Vec::new(),
            select_alpn: None,
            reject_alpn: false,
            max_sent_fragment: None,
            grease: false,
            permute_extensions: false,
            compression: Vec::new(),
            ocsp_stapling: false,
            request_scts: false,
            reject_ocsp: false,
            decline_ocsp: false,
            read_hello_first: false,
            client_suite_order: true,
            jdk11_workaround: false,
            no_ticket: false,
            skip_ticket: false,
            early_data: false,
            reverify_on_resume: false,
            resumption_delay: 0,
            implicit_handshake: false,
            early_write_after: None,
            writes_first: false,
            initial_write: b"hello".to_vec(),
            initial_writes: 1,
            // Less than a record, so that one is read in several parts.
            read_size: 512,
            unfinished_write: false,
            export_between_reads: false,
            shuts_down: false,
            check_close_notify: false,
            key_update: false,
            key_update_before_read: false,
            export_length: 0,
            export_label: Vec::new(),
            export_context: Vec::new(),
            use_export_context: false,
            export_traffic_secrets: false,
            expect: Expectations::default(),
        }
    }
}

impl Plan {
    /// What holds for a connection, the first or one that resumes.
    pub(crate) const fn options(&self, resumed: bool) -> &Options {
        if resumed {
            &self.resumed
        } else {
            &self.initial
        }
    }

    fn check(&self) -> Result<(), Refusal> {
        self.initial.check()?;
        if self.resumptions == 0 {
            return Ok(());
        }
        self.resumed.check()
    }
}

impl Options {
    /// The versions that the flags leave, lowest first.
    fn versions_asked(&self) -> impl Iterator<Item = u16> + '_ {
        const ALL: RangeInclusive<u16> = 0x0301..=0x0304;
        let range =
            self.min_version.unwrap_or(*ALL.start())..=self.max_version.unwrap_or(*ALL.end());
        ALL.filter(move |version| range.contains(version) && !self.switched_off.contains(version))
    }

    /// The versions to speak, if any is left.
    pub(crate) fn versions(&self) -> Option<ProtocolVersions> {
        let tls12 = self.policy.is_none_or(|policy| policy.tls12);
        self.versions_asked()
            .filter(|version| tls12 || *version != ProtocolVersion::TLS12.0)
            .filter_map(|version| match ProtocolVersion(version) {
                ProtocolVersion::TLS12 => Some(ProtocolVersions::TLS12),
                ProtocolVersion::TLS13 => Some(ProtocolVersions::TLS13),
                _ => None,
            })
            .reduce(|one, other| one | other)
    }

    /// Whether what is asked for is all there.
    fn check(&self) -> Result<(), Refusal> {
        match self.versions() {
            Some(versions)
                if self.jdk11_workaround && versions.contains(ProtocolVersion::TLS13) =>
            {
                Err(Refusal::Absent(absent::JDK11))
            }
            Some(_) => Ok(()),
            None => Err(Refusal::Absent(absent::OLD_VERSIONS)),
        }
    }
}
