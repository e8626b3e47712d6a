//! Reading the flags one by one.

use std::path::PathBuf;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::{CredentialFiles, Options, Refusal};
use crate::{absent, policy};

/// The rest of the command line.
struct Arguments<I>(I);

impl<I: Iterator<Item = Vec<u8>>> Arguments<I> {
    fn bytes(&mut self, flag: &str) -> Result<Vec<u8>, Refusal> {
        self.0.next().ok_or_else(|| malformed(flag))
    }

    fn text(&mut self, flag: &str) -> Result<String, Refusal> {
        String::from_utf8(self.bytes(flag)?).map_err(|_| malformed(flag))
    }

    fn path(&mut self, flag: &str) -> Result<PathBuf, Refusal> {
        self.text(flag).map(PathBuf::from)
    }

    fn number<T: core::str::FromStr>(&mut self, flag: &str) -> Result<T, Refusal> {
        self.text(flag)?.parse().map_err(|_| malformed(flag))
    }

    fn base64(&mut self, flag: &str) -> Result<Vec<u8>, Refusal> {
        BASE64_STANDARD
            .decode(self.bytes(flag)?)
            .map_err(|_| malformed(flag))
    }

    /// Names with one byte of length before each, as ALPN has them.
    fn names(&mut self, flag: &str) -> Result<Vec<Vec<u8>>, Refusal> {
        let bytes = self.bytes(flag)?;
        let mut rest = bytes.as_slice();
        let mut names = Vec::new();
        while let Some((length, tail)) = rest.split_first() {
            let (name, after) = tail
                .split_at_checked(usize::from(*length))
                .ok_or_else(|| malformed(flag))?;
            names.push(name.to_vec());
            rest = after;
        }
        Ok(names)
    }

    /// Byte strings in hexadecimal with commas between them, or one of two words for none.
    fn hex_list(&mut self, flag: &str) -> Result<Vec<Vec<u8>>, Refusal> {
        let text = self.text(flag)?;
        if matches!(text.as_str(), "<NULL>" | "<EMPTY>") {
            return Ok(Vec::new());
        }
        text.split(',')
            .map(|item| hex::decode(item).map_err(|_| malformed(flag)))
            .collect()
    }
}

fn malformed(flag: &str) -> Refusal {
    Refusal::Malformed(flag.to_owned())
}

impl Options {
    /// Reads a command line, without the program's own name.
    pub(crate) fn read(arguments: impl IntoIterator<Item = Vec<u8>>) -> Result<Self, Refusal> {
        let mut options = Self::default();
        let mut arguments = Arguments(arguments.into_iter());
        while let Some(flag) = arguments.0.next() {
            let flag = String::from_utf8(flag).map_err(|_| malformed("flag"))?;
            // There is one process here, and one connection in it.
            let flag = ["-on-shim", "-on-initial"]
                .iter()
                .find_map(|prefix| flag.strip_prefix(prefix))
                .filter(|rest| rest.starts_with('-'))
                .unwrap_or(&flag);
            // Flags for another process are read, so as to know where the next one begins.
            let other = flag.strip_prefix("-on-handshaker");
            let other = other.filter(|rest| rest.starts_with('-'));
            if let Some(flag) = other {
                if !Self::default().one(flag, &mut arguments)? {
                    return Err(Refusal::Unknown(flag.to_owned()));
                }
                continue;
            }
            if let Some(feature) = absent::feature_of(flag) {
                return Err(Refusal::Absent(feature));
            }
            if !options.one(flag, &mut arguments)? {
                return Err(Refusal::Unknown(flag.to_owned()));
            }
        }
        options.check()?;
        Ok(options)
    }

    /// Reads one flag with its value. Whether it is known.
    fn one<I: Iterator<Item = Vec<u8>>>(
        &mut self,
        flag: &str,
        arguments: &mut Arguments<I>,
    ) -> Result<bool, Refusal> {
        Ok(self.transport(flag, arguments)?
            || self.configuration(flag, arguments)?
            || self.credentials(flag, arguments)?
            || self.conduct(flag, arguments)?
            || self.expectation(flag, arguments)?)
    }

    fn transport<I: Iterator<Item = Vec<u8>>>(
        &mut self,
        flag: &str,
        arguments: &mut Arguments<I>,
    ) -> Result<bool, Refusal> {
        match flag {
            "-port" => self.port = arguments.number(flag)?,
            "-ipv6" => self.ipv6 = true,
            "-shim-id" => self.shim_id = arguments.number(flag)?,
            "-async" => self.piecemeal = true,
            // Ours never write in part, and never keep an error to themselves.
            "-partial-write" | "-use-custom-verify-callback" => {}
            // The handshake runs once, however often it is asked for.
            "-handshake-twice" | "-no-op-extra-handshake" => {}
            // Nobody here gets hints.
            "-allow-hint-mismatch" => {}
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn configuration<I: Iterator<Item = Vec<u8>>>(
        &mut self,
        flag: &str,
        arguments: &mut Arguments<I>,
    ) -> Result<bool, Refusal> {
        match flag {
            "-server" => self.server = true,
            "-min-version" => self.min_version = Some(arguments.number(flag)?),
            "-max-version" => self.max_version = Some(arguments.number(flag)?),
            "-no-tls1" => self.switched_off.push(0x0301),
            "-no-tls11" => self.switched_off.push(0x0302),
            "-no-tls12" => self.switched_off.push(0x0303),
            "-no-tls13" => self.switched_off.push(0x0304),
            "-host-name" => self.host_name = Some(arguments.text(flag)?),
            "-curves" => self.curves.push(arguments.number(flag)?),
            "-key-shares" => {
                let share = arguments.number(flag)?;
                self.key_shares.get_or_insert_default().push(share);
            }
            "-no-key-shares" => self.key_shares = Some(Vec::new()),
            "-server-supported-groups-hint" => self.server_groups.push(arguments.number(flag)?),
            "-verify-prefs" => self.verify_prefs.push(arguments.number(flag)?),
            "-verify-fail" => self.verify_fail = true,
            "-verify-peer" => self.verify_peer = true,
            "-accepted-peer-cert-types" => self.accepted_types.push(arguments.number(flag)?),
            "-available-client-cert-types" => self.client_types.push(arguments.number(flag)?),
            "-require-any-client-certificate" => self.require_client_certificate = true,
            "-use-client-ca-list" => self.client_authorities = arguments.hex_list(flag)?,
            "-no-legacy-server-connect" => self.require_secure_renegotiation = true,
            "-advertise-alpn" => self.advertise_alpn = arguments.names(flag)?,
            "-select-alpn" => self.select_alpn = Some(arguments.bytes(flag)?),
            "-decline-alpn" => self.select_alpn = None,
            "-reject-alpn" => self.reject_alpn = true,
            "-max-send-fragment" => self.max_sent_fragment = Some(arguments.number(flag)?),
            "-enable-grease" => self.grease = true,
            "-permute-extensions" => self.permute_extensions = true,
            // A client judges the response together with the certificate.
            "-use-ocsp-callback" | "-set-ocsp-in-callback" => {}
            "-fail-ocsp-callback" => self.reject_ocsp = true,
            "-install-cert-compression-algs" => self.compression = vec![0xff01, 0xff02, 0xff03],
            "-install-one-cert-compression-alg" => {
                self.compression = vec![arguments.number(flag)?];
            }
            "-enable-signed-cert-timestamps" => self.request_scts = true,
            "-enable-ocsp-stapling" => self.ocsp_stapling = true,
            // Both are about seeing the ClientHello before anything is decided.
            "-use-early-callback" | "-install-ddos-callback" => self.read_hello_first = true,
            "-jdk11-workaround" => self.jdk11_workaround = true,
            "-server-preference" => self.client_suite_order = false,
            // Sessions are never resumed, and tickets never sent.
            "-no-ticket" | "-expect-no-session" | "-expect-no-session-id" => {}
            _ => match policy::of_flag(flag) {
                Some(policy) => self.policy = Some(policy),
                None => return Ok(false),
            },
        }
        Ok(true)
    }

    fn credentials<I: Iterator<Item = Vec<u8>>>(
        &mut self,
        flag: &str,
        arguments: &mut Arguments<I>,
    ) -> Result<bool, Refusal> {
        if matches!(flag, "-new-x509-credential" | "-new-rpk-credential") {
            self.more_credentials.push(CredentialFiles {
                raw: flag == "-new-rpk-credential",
                ..CredentialFiles::default()
            });
            return Ok(true);
        }
        // Flags about credentials are about the one that was begun last.
        let credential = self.more_credentials.last_mut();
        let credential = credential.unwrap_or(&mut self.credential);
        match flag {
            // Checked by the application's verifier, which believes everybody.
            "-trust-cert" => drop(arguments.path(flag)?),
            "-cert-file" => credential.certificate = Some(arguments.path(flag)?),
            "-key-file" => credential.key = Some(arguments.path(flag)?),
            "-signing-prefs" => credential.signing_prefs.push(arguments.number(flag)?),
            // Ours are always asked for when they are needed.
            "-use-old-client-cert-callback" => {}
            "-must-match-issuer" => credential.must_match_issuer = true,
            "-signed-cert-timestamps" => credential.scts = Some(arguments.base64(flag)?),
            "-ocsp-response" => credential.ocsp = Some(arguments.base64(flag)?),
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn conduct<I: Iterator<Item = Vec<u8>>>(
        &mut self,
        flag: &str,
        arguments: &mut Arguments<I>,
    ) -> Result<bool, Refusal> {
        match flag {
            "-implicit-handshake" => self.implicit_handshake = true,
            "-shim-writes-first" => self.writes_first = true,
            "-shim-initial-write" => self.initial_write = arguments.bytes(flag)?,
            "-repeat-shim-initial-write" => self.initial_writes = arguments.number(flag)?,
            "-read-size" => self.read_size = arguments.number(flag)?,
            // Data is handed over where it stands in the input: all may look before it is taken.
            "-peek-then-read" => {}
            "-read-with-unfinished-write" => self.unfinished_write = true,
            "-use-exporter-between-reads" => self.export_between_reads = true,
            "-shim-shuts-down" => self.shuts_down = true,
            "-check-close-notify" => self.check_close_notify = true,
            "-key-update" => self.key_update = true,
            "-key-update-before-read" => self.key_update_before_read = true,
            "-export-keying-material" => self.export_length = arguments.number(flag)?,
            "-export-label" => self.export_label = arguments.bytes(flag)?,
            "-export-context" => self.export_context = arguments.bytes(flag)?,
            "-use-export-context" => self.use_export_context = true,
            "-export-traffic-secrets" => self.export_traffic_secrets = true,
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn expectation<I: Iterator<Item = Vec<u8>>>(
        &mut self,
        flag: &str,
        arguments: &mut Arguments<I>,
    ) -> Result<bool, Refusal> {
        let expect = &mut self.expect;
        match flag {
            "-expect-version" => expect.version = Some(arguments.number(flag)?),
            "-expect-cipher" | "-expect-cipher-aes" => {
                expect.cipher = Some(arguments.number(flag)?);
            }
            "-expect-cipher-no-aes" => drop(arguments.text(flag)?),
            "-expect-curve-id" => expect.curve = Some(arguments.number(flag)?),
            "-expect-peer-signature-algorithm" => {
                expect.peer_signature_scheme = Some(arguments.number(flag)?);
            }
            "-expect-alpn" => expect.alpn = Some(arguments.bytes(flag)?),
            "-expect-advertised-alpn" => expect.advertised_alpn = Some(arguments.names(flag)?),
            "-expect-server-name" => expect.server_name = Some(arguments.text(flag)?),
            "-expect-no-server-name" => expect.no_server_name = true,
            "-expect-signed-cert-timestamps" => expect.scts = Some(arguments.base64(flag)?),
            "-expect-ocsp-response" => expect.ocsp = Some(arguments.base64(flag)?),
            "-expect-selected-credential" => expect.credential = Some(arguments.number(flag)?),
            "-expect-peer-cert-file" => expect.peer_certificate = Some(arguments.path(flag)?),
            "-expect-peer-verify-pref" => expect.peer_verify_prefs.push(arguments.number(flag)?),
            "-expect-extended-master-secret" => expect.extended_main_secret = true,
            "-expect-secure-renegotiation" => expect.secure_renegotiation = Some(true),
            "-expect-no-secure-renegotiation" => expect.secure_renegotiation = Some(false),
            "-expect-certificate-types" => {
                expect.certificate_types = Some(arguments.base64(flag)?);
            }
            "-expect-client-ca-list" => expect.authorities = Some(arguments.hex_list(flag)?),
            "-expect-no-peer-cert" => expect.no_peer_certificate = true,
            "-expect-peer-certificate-type" => {
                expect.peer_certificate_type = Some(arguments.number(flag)?);
            }
            "-expect-peer-rpk-sha256" => expect.peer_raw_key = Some(arguments.base64(flag)?),
            // A verdict is given once, and nothing goes on without it.
            "-expect-verify-result" => {}
            // The one reason that there can be without the feature.
            "-expect-early-data-reason" => {
                if arguments.text(flag)? != "disabled" {
                    return Err(Refusal::Absent(absent::EARLY_DATA));
                }
            }
            "-expect-hrr" => expect.retry = Some(true),
            "-expect-no-hrr" => expect.retry = Some(false),
            "-handshake-never-done" => expect.never_done = true,
            _ => return Ok(false),
        }
        Ok(true)
    }
}
