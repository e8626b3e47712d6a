//! Reading the flags one by one.

use core::slice;
use std::path::PathBuf;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::{CredentialFiles, LIFETIME, Options, Plan, PskImport, Refusal};
use crate::{absent, policy};

/// The rest of the command line.
#[derive(Clone)]
struct Arguments<'a>(slice::Iter<'a, Vec<u8>>);

impl Arguments<'_> {
    fn bytes(&mut self, flag: &str) -> Result<Vec<u8>, Refusal> {
        self.0.next().cloned().ok_or_else(|| malformed(flag))
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

    /// A name, or none if it is empty.
    fn name(&mut self, flag: &str) -> Result<Option<Vec<u8>>, Refusal> {
        let name = self.bytes(flag)?;
        Ok((!name.is_empty()).then_some(name))
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

/// The connections that a flag is for.
#[derive(Clone, Copy)]
enum For {
    All,
    Initial,
    Resumed,
    Retry,
}

const PREFIXES: [(&str, For); 3] = [
    ("-on-initial", For::Initial),
    ("-on-resume", For::Resumed),
    ("-on-retry", For::Retry),
];

/// Takes off a prefix, if it stands before a flag.
fn without<'a>(prefix: &str, flag: &'a str) -> Option<&'a str> {
    let rest = flag.strip_prefix(prefix)?;
    rest.starts_with('-').then_some(rest)
}

impl Plan {
    /// Reads a command line, without the program's own name.
    pub(crate) fn read(arguments: &[Vec<u8>]) -> Result<Self, Refusal> {
        let mut plan = Self::default();
        let mut arguments = Arguments(arguments.iter());
        while let Some(flag) = arguments.0.next() {
            let flag = str::from_utf8(flag).map_err(|_| malformed("flag"))?;
            // Flags for another process are read, so as to know where the next one begins.
            let elsewhere = without("-on-handshaker", flag);
            let flag = elsewhere
                .or_else(|| without("-on-shim", flag))
                .unwrap_or(flag);
            let (flag, which) = PREFIXES
                .iter()
                .find_map(|(prefix, which)| Some((without(prefix, flag)?, *which)))
                .unwrap_or((flag, For::All));
            if elsewhere.is_some() {
                Self::default().one(flag, which, &mut arguments)?;
                continue;
            }
            if let Some(feature) = absent::feature_of(flag) {
                return Err(Refusal::Absent(feature));
            }
            plan.one(flag, which, &mut arguments)?;
        }
        plan.check()?;
        Ok(plan)
    }

    /// Reads one flag with its value.
    fn one(
        &mut self,
        flag: &str,
        which: For,
        arguments: &mut Arguments<'_>,
    ) -> Result<(), Refusal> {
        if flag == "-resume-count" {
            self.resumptions = arguments.number(flag)?;
            return Ok(());
        }
        let sets: &mut [&mut Options] = match which {
            For::All => &mut [&mut self.initial, &mut self.resumed, &mut self.retry],
            For::Initial => &mut [&mut self.initial],
            For::Resumed => &mut [&mut self.resumed],
            For::Retry => &mut [&mut self.retry],
        };
        let before = arguments.clone();
        for set in sets {
            *arguments = before.clone();
            if !set.one(flag, arguments)? {
                return Err(Refusal::Unknown(flag.to_owned()));
            }
        }
        Ok(())
    }
}

impl Options {
    /// Reads one flag with its value. Whether it is known.
    fn one(&mut self, flag: &str, arguments: &mut Arguments<'_>) -> Result<bool, Refusal> {
        Ok(self.transport(flag, arguments)?
            || self.configuration(flag, arguments)?
            || self.sessions(flag, arguments)?
            || self.credentials(flag, arguments)?
            || self.conduct(flag, arguments)?
            || self.expectation(flag, arguments)?)
    }

    fn transport(&mut self, flag: &str, arguments: &mut Arguments<'_>) -> Result<bool, Refusal> {
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

    fn configuration(
        &mut self,
        flag: &str,
        arguments: &mut Arguments<'_>,
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
            "-select-alpn" => self.select_alpn = arguments.name(flag)?,
            "-decline-alpn" => self.select_alpn = None,
            "-reject-alpn" => self.reject_alpn = true,
            "-max-send-fragment" => self.max_sent_fragment = Some(arguments.number(flag)?),
            "-enable-grease" => self.grease = true,
            "-permute-extensions" => self.permute_extensions = true,
            // A client judges the response together with the certificate.
            "-use-ocsp-callback" | "-set-ocsp-in-callback" => {}
            "-decline-ocsp-callback" => self.decline_ocsp = true,
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
            _ => match policy::of_flag(flag) {
                Some(policy) => self.policy = Some(policy),
                None => return Ok(false),
            },
        }
        Ok(true)
    }

    fn sessions(&mut self, flag: &str, arguments: &mut Arguments<'_>) -> Result<bool, Refusal> {
        match flag {
            "-no-ticket" => self.no_ticket = true,
            "-skip-ticket" => self.skip_ticket = true,
            // Tickets are always sealed and opened by hooks.
            "-use-ticket-callback" | "-use-ticket-aead-callback" => {}
            // In TLS 1.2 that happens in the second half of its life.
            "-renew-ticket" => self.resumption_delay = u64::from(LIFETIME) / 2,
            "-enable-early-data" => self.early_data = true,
            "-reverify-on-resume" => self.reverify_on_resume = true,
            "-resumption-delay" => self.resumption_delay = arguments.number(flag)?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn credentials(&mut self, flag: &str, arguments: &mut Arguments<'_>) -> Result<bool, Refusal> {
        let fresh = match flag {
            "-new-x509-credential" => Some(CredentialFiles::default()),
            "-new-rpk-credential" => Some(CredentialFiles {
                raw: true,
                ..CredentialFiles::default()
            }),
            "-new-psk-credential" => Some(CredentialFiles {
                psk: Some(PskImport::default()),
                ..CredentialFiles::default()
            }),
            _ => None,
        };
        if let Some(fresh) = fresh {
            self.more_credentials.push(fresh);
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
            _ => match &mut credential.psk {
                Some(psk) => return psk.read(flag, arguments),
                None => return Ok(false),
            },
        }
        Ok(true)
    }

    fn conduct(&mut self, flag: &str, arguments: &mut Arguments<'_>) -> Result<bool, Refusal> {
        match flag {
            "-implicit-handshake" => self.implicit_handshake = true,
            "-early-write-after-message" => {
                self.early_write_after = Some(arguments.number(flag)?);
            }
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

    fn expectation(&mut self, flag: &str, arguments: &mut Arguments<'_>) -> Result<bool, Refusal> {
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
            "-expect-alpn" => expect.alpn = arguments.name(flag)?,
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
            "-expect-accept-early-data" => expect.early_data = Some(true),
            "-expect-reject-early-data" => expect.early_data = Some(false),
            "-expect-no-offer-early-data" => expect.no_early_offer = true,
            "-expect-early-data-reason" => {
                expect.early_data_reason = Some(arguments.text(flag)?);
            }
            "-expect-session-miss" => expect.session_miss = true,
            "-expect-ticket-renewal" => expect.renewal = true,
            "-expect-no-session" => expect.no_session = true,
            "-expect-session-id" => expect.session_id = Some(true),
            "-expect-no-session-id" => expect.session_id = Some(false),
            "-expect-ticket-supports-early-data" => expect.early_data_ticket = true,
            "-expect-hrr" => expect.retry = Some(true),
            "-expect-no-hrr" => expect.retry = Some(false),
            "-handshake-never-done" => expect.never_done = true,
            _ => return Ok(false),
        }
        Ok(true)
    }
}

impl PskImport {
    fn read(&mut self, flag: &str, arguments: &mut Arguments<'_>) -> Result<bool, Refusal> {
        match flag {
            "-psk-importer-key" => self.key = arguments.base64(flag)?,
            "-psk-importer-identity" => self.identity = arguments.base64(flag)?,
            "-psk-importer-context" => self.context = arguments.base64(flag)?,
            "-psk-importer-sha256" => self.sha384 = false,
            "-psk-importer-sha384" => self.sha384 = true,
            _ => return Ok(false),
        }
        Ok(true)
    }
}
