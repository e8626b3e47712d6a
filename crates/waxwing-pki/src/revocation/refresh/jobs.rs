//! What is fetched, and what of it is believed.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use waxwing_crypto::CryptoProvider;

use super::super::chain::{Signer, VerifiedChain};
use super::super::crl::Crl;
use super::super::ocsp::{self, Judge};
use super::super::outcome::Status;
use super::super::when::When;
use super::{Fresh, Job, Progress, Request};
use crate::algorithms::Algorithms;
use crate::{UnixTime, Unreadable};

/// Bytes of an OCSP response: what fits into a handshake message.
const MAX_RESPONSE: usize = 1 << 16;
/// Bytes of a revocation list. The longest of public authorities have about 10 MB.
const MAX_LIST: usize = 1 << 26;

/// An OCSP response for our own certificate, to be stapled. Its value is the response in DER.
#[derive(Debug)]
pub struct StapleJob {
    url: String,
    certificate: Vec<u8>,
    issuer: Vec<u8>,
    request: Vec<u8>,
    algorithms: Algorithms,
}

impl StapleJob {
    /// Asks the responder at `url` about `certificate`, which `issuer` (both in DER) issued.
    /// `provider` checks signatures.
    ///
    /// # Errors
    /// [`Unreadable`] if one of the certificates is malformed.
    pub fn new(
        provider: &CryptoProvider,
        url: impl Into<String>,
        certificate: &[u8],
        issuer: &[u8],
    ) -> Result<Self, Unreadable> {
        let chain = [certificate, issuer];
        let chain = VerifiedChain::in_order(&chain)?;
        let request = chain.links.first().map_or(Ok(Vec::new()), ocsp::request);
        Ok(Self {
            url: url.into(),
            certificate: certificate.to_vec(),
            issuer: issuer.to_vec(),
            request: request.map_err(|error| Unreadable::because(&error))?,
            algorithms: Algorithms::of(provider),
        })
    }
}

impl Job for StapleJob {
    type Value = Vec<u8>;

    fn start(&mut self) -> Request {
        Request {
            url: self.url.clone(),
            body: Some(("application/ocsp-request", self.request.clone())),
            max_answer: MAX_RESPONSE,
        }
    }

    fn answer(&mut self, body: &[u8], now: UnixTime) -> Result<Progress<Vec<u8>>, String> {
        let chain = [self.certificate.as_slice(), &self.issuer];
        let chain = VerifiedChain::in_order(&chain).map_err(words)?;
        let link = chain.links.first().ok_or("there is no certificate")?;
        let judge = Judge {
            algorithms: &self.algorithms,
            lists: None,
            when: When::exactly(now),
        };
        let answer = judge.answer(body, link).map_err(words)?;
        // Only what helps clients is worth showing them.
        let Status::Good { until } = answer.status else {
            return Err(answer.status.to_string());
        };
        Ok(Progress::Done(Fresh {
            value: body.to_vec(),
            made: answer.this_update,
            until,
        }))
    }
}

/// A revocation list of one issuer, or a partition of one.
#[derive(Debug)]
pub struct ListJob {
    url: String,
    issuer: Signer,
    algorithms: Algorithms,
    /// When the last one was made.
    newest: Option<UnixTime>,
}

impl ListJob {
    /// Fetches the list of `issuer` (its certificate in DER) from `url`. `provider` checks the
    /// signature.
    ///
    /// # Errors
    /// [`Unreadable`] if the certificate is malformed.
    pub fn new(
        provider: &CryptoProvider,
        url: impl Into<String>,
        issuer: &[u8],
    ) -> Result<Self, Unreadable> {
        Ok(Self {
            url: url.into(),
            issuer: Signer::of_certificate(issuer).map_err(|error| Unreadable::because(&error))?,
            algorithms: Algorithms::of(provider),
            newest: None,
        })
    }
}

impl Job for ListJob {
    type Value = Crl;

    fn start(&mut self) -> Request {
        Request {
            url: self.url.clone(),
            body: None,
            max_answer: MAX_LIST,
        }
    }

    fn answer(&mut self, body: &[u8], now: UnixTime) -> Result<Progress<Crl>, String> {
        let list = Crl::from_pem_or_der(body).map_err(words)?;
        let list = list.into_iter().next().ok_or("there is no list in it")?;
        list.check_issuer(&self.issuer, &self.algorithms)
            .map_err(words)?;
        let when = When::exactly(now);
        when.has_come(list.this_update()).map_err(words)?;
        // Who is in between could play an old list again.
        if self
            .newest
            .is_some_and(|newest| list.this_update() < newest)
        {
            return Err("it is older than the one before".into());
        }
        self.newest = Some(list.this_update());
        Ok(Progress::Done(Fresh {
            made: list.this_update(),
            until: list.next_update(),
            value: list,
        }))
    }
}

fn words(error: impl fmt::Display) -> String {
    error.to_string()
}

#[cfg(feature = "crlite")]
pub use filters::FilterJob;

#[cfg(feature = "crlite")]
mod filters {
    use alloc::sync::Arc;

    use super::super::super::crlite::{Filter, Filters, MAX_AGE, Manifest, ManifestFile};
    use super::{Fresh, Job, Progress, Request, String, UnixTime, Vec, When, words};

    /// Bytes of a manifest; real ones have about 1.5 kB.
    const MAX_MANIFEST: usize = 1 << 20;
    /// Bytes of one filter. All that are needed at first have about 10 MB.
    const MAX_FILTER: usize = 1 << 26;
    /// Filters that one manifest may list.
    const MAX_FILTERS: usize = 1024;

    /// CRLite filters that a manifest lists. Nobody signs them: what fetches them has to know
    /// whom it talks to, so the URL should be one of HTTPS.
    #[derive(Debug)]
    pub struct FilterJob {
        base: String,
        round: Option<Round>,
        /// By their hash.
        known: Vec<(String, Arc<Filter>)>,
    }

    /// A manifest and what of it is there.
    #[derive(Debug)]
    struct Round {
        manifest: Manifest,
        ready: Vec<(String, Arc<Filter>)>,
    }

    impl Round {
        fn missing(&self) -> Option<&ManifestFile> {
            let files = self.manifest.files();
            files
                .iter()
                .find(|file| !self.ready.iter().any(|(hash, _)| *hash == file.hash))
        }
    }

    impl FilterJob {
        /// Fetches from the folder `base`, a URL that ends in a slash.
        #[must_use]
        pub fn new(base: impl Into<String>) -> Self {
            Self {
                base: base.into(),
                round: None,
                known: Vec::new(),
            }
        }

        fn request(&self, file: &str, max_answer: usize) -> Request {
            Request {
                url: format!("{}{file}", self.base),
                body: None,
                max_answer,
            }
        }

        fn begin(&self, json: &[u8], now: UnixTime) -> Result<Round, String> {
            let manifest = Manifest::from_json(json).map_err(words)?;
            if manifest.files().len() > MAX_FILTERS {
                return Err("it lists too many filters".into());
            }
            let when = When::exactly(now);
            when.has_come(manifest.generated_at()).map_err(words)?;
            let listed = |hash: &String| manifest.files().iter().any(|file| file.hash == *hash);
            let known = self.known.iter().filter(|(hash, _)| listed(hash));
            Ok(Round {
                ready: known.cloned().collect(),
                manifest,
            })
        }

        /// Asks for the next filter that is missing, or ends the round.
        fn go_on(&mut self, round: Round) -> Progress<Filters> {
            if let Some(file) = round.missing() {
                let request = self.request(&file.filename, MAX_FILTER);
                self.round = Some(round);
                return Progress::More(request);
            }
            let made = round.manifest.generated_at();
            let filters = round.ready.iter().map(|(_, filter)| Arc::clone(filter));
            let value = Filters::new(filters.collect::<Vec<_>>(), Some(made));
            self.known = round.ready;
            Progress::Done(Fresh {
                value,
                made,
                until: made.plus(MAX_AGE),
            })
        }
    }

    impl Job for FilterJob {
        type Value = Filters;

        fn start(&mut self) -> Request {
            self.round = None;
            self.request("manifest.json", MAX_MANIFEST)
        }

        fn answer(&mut self, body: &[u8], now: UnixTime) -> Result<Progress<Filters>, String> {
            let round = match self.round.take() {
                None => self.begin(body, now)?,
                Some(mut round) => {
                    let file = round.missing().ok_or("nothing was missing")?;
                    let filter = file.filter(body).map_err(words)?;
                    let hash = file.hash.clone();
                    round.ready.push((hash, Arc::new(filter)));
                    round
                }
            };
            Ok(self.go_on(round))
        }
    }
}
