//! The configuration that the flags ask for.

use std::sync::Arc;

use waxwing_aws_lc::{MLKEM1024, PROVIDER};
use waxwing_core::{
    CertificateType, ClientAuth, ClientConfig, ConfigError, ProtocolVersions, ServerConfig,
    ServerName,
};
use waxwing_crypto::{CryptoProvider, NamedGroup, SignatureAlgorithm, SignatureScheme};

use crate::compress::decompressors;
use crate::credential::Credential;
use crate::errors::Failure;
use crate::memory::{Credulous, GivenSessions, Memory};
use crate::options::{LIFETIME, Options, Plan};
use crate::psk::Keys;
use crate::seen::{Resolver, Shared};
use crate::verify::{Bench, Judge};

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::Environment(error.to_string())
    }
}

/// One side, ready to start.
pub(crate) enum Side {
    Client(Arc<ClientConfig>, ServerName),
    Server(Arc<ServerConfig>),
}

/// What a side asks, and what its questions are answered with.
pub(crate) struct Hooks {
    pub(crate) judge: Judge,
    pub(crate) resolver: Arc<Resolver>,
    pub(crate) keys: Arc<Keys>,
    /// On a server: where its sessions are.
    pub(crate) sessions: Arc<GivenSessions>,
    pub(crate) seen: Shared,
}

/// One connection's side and its hooks.
pub(crate) struct Setup {
    pub(crate) side: Side,
    pub(crate) hooks: Hooks,
}

/// Bytes of early data that a server takes: as many as BoringSSL's.
const MAX_EARLY_DATA: u32 = 14_336;

impl Setup {
    /// Loads the files and builds the configuration of a connection, the first or one that
    /// resumes the session of the one before.
    pub(crate) fn new(plan: &Plan, memory: &Memory, resumed: bool) -> Result<Self, Failure> {
        let options = plan.options(resumed);
        let provider = provider(options);
        let seen = Shared::default();
        // Where early data is offered, a server that shows a certificate has rejected it.
        let retry = resumed && !options.server && options.early_data && rejects(&plan.retry);
        // BoringSSL takes a session's word for who the client is, where ours asks again.
        let asks = !(options.server && resumed) || options.reverify_on_resume;
        let judge = Judge {
            reject: (rejects(options) || retry) && asks,
            reject_session: rejects(options),
            later: options.piecemeal,
            reject_ocsp: options.reject_ocsp,
            expect_ocsp: options.expect.ocsp.is_some(),
            authorities: options.client_authorities.clone(),
            seen: seen.clone(),
        };
        let resolver = Arc::new(Resolver {
            credentials: Credential::load_all(provider, options)?,
            refuse: options.server && options.reject_ocsp,
            later: options.piecemeal,
            expect: options.expect.clone(),
            seen: seen.clone(),
        });
        let hooks = Hooks {
            judge,
            resolver,
            keys: Keys::new(options)?,
            sessions: memory.theirs(options),
            seen,
        };
        let side = if options.server {
            Side::Server(server(options, provider, &hooks, memory)?)
        } else {
            let bench = if resumed && options.reverify_on_resume {
                // One that the engine does not know.
                Arc::default()
            } else {
                Arc::clone(&memory.bench)
            };
            client(options, provider, &hooks, bench, memory)?
        };
        Ok(Self { side, hooks })
    }
}

/// Whether no certificate is to be believed.
fn rejects(options: &Options) -> bool {
    options.verify_fail
        && (options.verify_peer
            || options.require_client_certificate
            // BoringSSL verifies raw keys even where it does not verify certificates.
            || options.accepted_types.contains(&CertificateType::RAW_PUBLIC_KEY.0))
}

/// What BoringSSL lets a peer sign with where a test says nothing.
const VERIFY_DEFAULT: [SignatureScheme; 8] = [
    SignatureScheme::ECDSA_SECP256R1_SHA256,
    SignatureScheme::RSA_PSS_RSAE_SHA256,
    SignatureScheme::RSA_PKCS1_SHA256,
    SignatureScheme::ECDSA_SECP384R1_SHA384,
    SignatureScheme::RSA_PSS_RSAE_SHA384,
    SignatureScheme::RSA_PKCS1_SHA384,
    SignatureScheme::RSA_PSS_RSAE_SHA512,
    SignatureScheme::RSA_PKCS1_SHA512,
];

/// The provider, able to check the wanted signatures only. It lives as long as the process, which
/// has few connections.
fn provider(options: &Options) -> &'static CryptoProvider {
    let mut wanted: Vec<_> = options
        .verify_prefs
        .iter()
        .copied()
        .map(SignatureScheme)
        .collect();
    wanted.retain(|scheme| known(*scheme).next().is_some());
    if options.verify_prefs.is_empty() {
        match options.policy {
            Some(policy) if !policy.schemes.is_empty() => wanted.extend(policy.schemes),
            _ => wanted.extend(VERIFY_DEFAULT),
        }
    }
    if !wanted
        .iter()
        .any(|scheme| scheme.allowed_in_tls13_handshake())
    {
        // A configuration for TLS 1.3 has to have one that can be used there.
        wanted.push(SignatureScheme::ED25519);
    }
    let signatures: Vec<SignatureAlgorithm> = wanted
        .into_iter()
        .flat_map(known)
        // Those without a scheme only serve the others, with other curves in TLS 1.2.
        .chain(
            PROVIDER
                .signatures
                .iter()
                .filter(|algorithm| algorithm.scheme.is_none()),
        )
        .map(|algorithm| SignatureAlgorithm { ..*algorithm })
        .collect();
    Box::leak(Box::new(CryptoProvider {
        groups: [PROVIDER.groups, &[MLKEM1024]].concat().leak(),
        signatures: signatures.leak(),
        ..PROVIDER
    }))
}

fn known(scheme: SignatureScheme) -> impl Iterator<Item = &'static SignatureAlgorithm> {
    let all = PROVIDER.signatures.iter();
    all.filter(move |algorithm| algorithm.scheme == Some(scheme))
}

fn groups(options: &Options) -> Vec<NamedGroup> {
    if !options.curves.is_empty() {
        return options.curves.iter().copied().map(NamedGroup).collect();
    }
    match options.policy {
        Some(policy) if !policy.groups.is_empty() => policy.groups.to_vec(),
        _ => PROVIDER.groups.iter().map(|group| group.name()).collect(),
    }
}

/// The key shares that BoringSSL sends: for the first group that the server is said to know;
/// without such a one, for the first group, and for the first that is safe from a quantum computer
/// where that one is not, or the other way round.
fn key_shares(options: &Options) -> Vec<NamedGroup> {
    let hinted = |group: &NamedGroup| options.server_groups.contains(&group.0);
    if let Some(group) = groups(options).into_iter().find(hinted) {
        return vec![group];
    }
    if let Some(shares) = &options.key_shares {
        return shares.iter().copied().map(NamedGroup).collect();
    }
    let groups = groups(options);
    let first = groups.first().copied();
    let other = first.and_then(|first| {
        let kind = first.is_post_quantum();
        groups
            .iter()
            .copied()
            .find(|group| group.is_post_quantum() != kind)
    });
    first.into_iter().chain(other).collect()
}

fn client(
    options: &Options,
    provider: &'static CryptoProvider,
    hooks: &Hooks,
    bench: Arc<Bench>,
    memory: &Memory,
) -> Result<Side, Failure> {
    let resolver = &hooks.resolver;
    bench.seat(hooks.judge.clone());
    let mut builder = ClientConfig::builder(provider, bench)
        .versions(options.versions().unwrap_or(ProtocolVersions::TLS13))
        .groups(groups(options))
        .key_share_groups(key_shares(options))
        // The runner leaves both out where it does not test them.
        .dangerous_without_extended_main_secret(true)
        .secure_renegotiation_required(options.require_secure_renegotiation)
        .alpn(&options.advertise_alpn)
        .cert_decompressors(&decompressors(&options.compression))
        .grease(options.grease)
        .permute_extensions(options.permute_extensions)
        .send_server_name(options.host_name.is_some())
        .request_ocsp(options.ocsp_stapling)
        .request_scts(options.request_scts)
        .keep_peer_chain(true)
        .key_log(Arc::new(hooks.seen.clone()))
        .trace(Arc::new(hooks.seen.clone()))
        .sessions(
            Arc::clone(&memory.ours) as _,
            Arc::clone(&memory.clock) as _,
        )
        .early_data(options.early_data)
        .external_psks(hooks.keys.all());
    let own_types = client_types(options, resolver);
    let looks = options.expect.authorities.is_some() || options.expect.certificate_types.is_some();
    if !own_types.is_empty() || looks {
        builder = builder.client_certificate(Arc::clone(resolver) as _);
    }
    if !own_types.is_empty() {
        builder = builder.client_certificate_types(own_types);
    }
    if !options.accepted_types.is_empty() {
        builder = builder.server_certificate_types(accepted_types(options));
    }
    if let Some(policy) = options.policy {
        builder = builder.cipher_suites(policy.suites.iter().copied());
    }
    if let Some(most) = options.max_sent_fragment {
        builder = builder.max_sent_fragment(most);
    }
    let name = options.host_name.as_deref().unwrap_or("unnamed.example");
    let name = name
        .parse()
        .map_err(|_| Failure::Environment(format!("{name:?} is no name")))?;
    Ok(Side::Client(builder.build()?, name))
}

fn accepted_types(options: &Options) -> impl Iterator<Item = CertificateType> {
    options.accepted_types.iter().copied().map(CertificateType)
}

/// What a client has, or says to have.
fn client_types(options: &Options, resolver: &Resolver) -> Vec<CertificateType> {
    let mut types: Vec<_> = options
        .client_types
        .iter()
        .copied()
        .map(CertificateType)
        .collect();
    if types.is_empty() {
        for credential in &resolver.credentials {
            let typ = credential.certified.certificate_type();
            if !types.contains(&typ) {
                types.push(typ);
            }
        }
    }
    types
}

fn server(
    options: &Options,
    provider: &'static CryptoProvider,
    hooks: &Hooks,
    memory: &Memory,
) -> Result<Arc<ServerConfig>, Failure> {
    // A name that no client of the runner offers.
    let refused = options.reject_alpn.then(|| b"refused".to_vec());
    let mut builder = ServerConfig::builder(provider, Arc::clone(&hooks.resolver) as _)
        .versions(options.versions().unwrap_or(ProtocolVersions::TLS13))
        .groups(groups(options))
        // The runner leaves both out where it does not test them.
        .dangerous_without_extended_main_secret(true)
        .secure_renegotiation_required(options.require_secure_renegotiation)
        .alpn(refused.or_else(|| options.select_alpn.clone()))
        .client_suite_order(options.client_suite_order && options.policy.is_none())
        .keep_peer_chain(true)
        .cert_decompressors(&decompressors(&options.compression))
        .key_log(Arc::new(hooks.seen.clone()))
        .sessions(
            Arc::clone(&hooks.sessions) as _,
            Arc::clone(&memory.clock) as _,
        )
        .session_lifetime(LIFETIME);
    if options.no_ticket {
        builder = builder.tickets(0);
    }
    if options.early_data {
        let later = options.piecemeal;
        builder = builder.early_data(MAX_EARLY_DATA, Arc::new(Credulous { later }));
    }
    if !hooks.keys.is_empty() {
        builder = builder.external_psks(Arc::clone(&hooks.keys) as _);
    }
    if let Some(policy) = options.policy {
        builder = builder.cipher_suites(policy.suites.iter().copied());
    }
    if let Some(most) = options.max_sent_fragment {
        builder = builder.max_sent_fragment(most);
    }
    if !options.accepted_types.is_empty() {
        builder = builder.client_certificate_types(accepted_types(options));
    }
    let judge = Arc::new(hooks.judge.clone());
    if options.require_client_certificate {
        builder = builder.client_auth(ClientAuth::Required(judge));
    } else if options.verify_peer {
        builder = builder.client_auth(ClientAuth::Optional(judge));
    }
    Ok(builder.build()?)
}
