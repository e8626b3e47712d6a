//! Keys that both sides know.

use std::sync::Arc;

use waxwing_core::{ExternalPsk, PskLookup, PskResolver};
use waxwing_crypto::HashId;

use crate::errors::Failure;
use crate::options::Options;

/// The keys of a test, the preferred first.
#[derive(Debug)]
pub(crate) struct Keys {
    /// With the number of the credential that each is.
    keys: Vec<(i32, ExternalPsk)>,
    later: bool,
}

impl Keys {
    pub(crate) fn new(options: &Options) -> Result<Arc<Self>, Failure> {
        let mut keys = Vec::new();
        for (number, files) in (0..).zip(&options.more_credentials) {
            let Some(psk) = &files.psk else {
                continue;
            };
            let hash = if psk.sha384 {
                HashId::Sha384
            } else {
                HashId::Sha256
            };
            let key = ExternalPsk::importable(&psk.identity, &psk.key, hash, &psk.context);
            keys.push((
                number,
                key.map_err(|error| Failure::Environment(error.to_string()))?,
            ));
        }
        Ok(Arc::new(Self {
            keys,
            later: options.piecemeal,
        }))
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// All of them, as a client offers them.
    pub(crate) fn all(&self) -> impl Iterator<Item = ExternalPsk> {
        self.keys.iter().map(|(_, key)| key.clone())
    }

    /// Looks now.
    pub(crate) fn look(&self, identity: &[u8]) -> Option<ExternalPsk> {
        let mut all = self.all();
        all.find(|key| key.identity() == identity)
    }

    /// The number of the credential with this identity.
    pub(crate) fn number_of(&self, identity: &[u8]) -> Option<i32> {
        let mut keys = self.keys.iter();
        keys.find(|(_, key)| key.identity() == identity)
            .map(|(number, _)| *number)
    }
}

impl PskResolver for Keys {
    fn find(&self, identity: &[u8]) -> PskLookup {
        match self.look(identity) {
            _ if self.later => PskLookup::Pending,
            Some(key) => PskLookup::Found(key),
            None => PskLookup::None,
        }
    }
}
