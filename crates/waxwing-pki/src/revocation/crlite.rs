//! CRLite filters: the revoked certificates of the public authorities, in a few megabytes.
//!
//! The filters are believed because the user gives them. They come in files, or in the cache of
//! the program `upki`: a folder with the filters and a `manifest.json` that lists them with
//! their hashes.

use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;
use std::path::{Path, PathBuf};

use clubcard_crlite::{CRLiteClubcard, CRLiteKey, CRLiteStatus, IssuerSpkiHash, LogId, Timestamp};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::chain::Link;
use super::outcome::{Silence, Status};
use super::replaceable::Replaceable;
use super::sct;
use super::when::When;
use crate::{LoadError, UnixTime};

/// The name of the list of filters in a cache of `upki`.
const MANIFEST: &str = "manifest.json";
/// For how long filters count after they were made, if the user says nothing else. They are made
/// every few hours.
pub(super) const MAX_AGE: Duration = Duration::from_secs(10 * 24 * 60 * 60);

/// The last bit that a filter may refer to, far beyond what filters have. The sum of two can be
/// expressed on every machine.
const MAX_PLACE: usize = 1 << 30;

/// Filters that cannot be used, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FilterError {
    /// A file cannot be read.
    Unreadable(LoadError),
    /// It is no filter, or of an unknown version.
    Malformed(String),
    /// The list of filters is malformed.
    BadManifest(String),
    /// A filter is not the one that the list names.
    OtherHash(String),
}

impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(error) => error.fmt(f),
            Self::Malformed(reason) => write!(f, "it is no CRLite filter: {reason}"),
            Self::BadManifest(reason) => write!(f, "{MANIFEST} is malformed: {reason}"),
            Self::OtherHash(name) => {
                write!(f, "the filter {name} is not the one that {MANIFEST} names")
            }
        }
    }
}

impl core::error::Error for FilterError {}

/// What `manifest.json` says: when the filters were made, and which they are.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Manifest {
    /// In seconds since 1970.
    generated_at: u64,
    #[serde(alias = "filters")]
    files: Vec<ManifestFile>,
}

/// A filter of a [`Manifest`].
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct ManifestFile {
    /// Its name, relative to the manifest.
    pub filename: String,
    /// How many bytes it has, about.
    pub size: u64,
    /// SHA-256 of it in hexadecimal.
    pub hash: String,
}

impl Manifest {
    /// Reads it.
    ///
    /// # Errors
    /// [`FilterError::BadManifest`] if it is malformed, or names a file in another folder.
    pub fn from_json(json: &[u8]) -> Result<Self, FilterError> {
        let manifest: Self = serde_json::from_slice(json)
            .map_err(|error| FilterError::BadManifest(error.to_string()))?;
        // The name becomes a part of a path and of a URL.
        let is_plain = |name: &str| {
            let fits = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
            name.chars().all(fits) && !name.starts_with('.') && !name.is_empty()
        };
        if let Some(file) = manifest.files.iter().find(|file| !is_plain(&file.filename)) {
            let reason = format!("{:?} is not the name of a file", file.filename);
            return Err(FilterError::BadManifest(reason));
        }
        Ok(manifest)
    }

    /// When the filters were made.
    #[must_use]
    pub const fn generated_at(&self) -> UnixTime {
        UnixTime::from_seconds(self.generated_at)
    }

    /// The filters.
    #[must_use]
    pub fn files(&self) -> &[ManifestFile] {
        &self.files
    }
}

impl ManifestFile {
    /// Reads the filter, which has to be the one that was listed.
    ///
    /// # Errors
    /// If it is another one, or cannot be used.
    pub fn filter(&self, bytes: &[u8]) -> Result<Filter, FilterError> {
        let hash = hex::encode(Sha256::digest(bytes));
        if !hash.eq_ignore_ascii_case(&self.hash) {
            return Err(FilterError::OtherHash(self.filename.clone()));
        }
        Filter::from_bytes(bytes)
    }
}

/// One filter.
pub struct Filter(CRLiteClubcard);

impl Filter {
    /// Reads it.
    ///
    /// # Errors
    /// [`FilterError::Malformed`]
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, FilterError> {
        let filter = CRLiteClubcard::from_bytes(bytes)
            .map_err(|error| FilterError::Malformed(error.to_string()))?;
        if !is_sound(&filter) {
            let words = "its index leads out of it".into();
            return Err(FilterError::Malformed(words));
        }
        Ok(Self(filter))
    }

    /// The newest time that it covers.
    fn newest(&self) -> UnixTime {
        let ends = self
            .0
            .universe()
            .iter()
            .map(|(_, interval)| interval.high.0);
        UnixTime::from_seconds(ends.max().unwrap_or(0) / 1000)
    }
}

/// Whether whatever is looked up finds what the index says is there. The library takes that for
/// granted, and would panic in a handshake.
fn is_sound(filter: &CRLiteClubcard) -> bool {
    let columns = filter.as_ref().approx_filter.len();
    filter.index().values().all(|block| {
        let places = [
            block.approx_filter_m,
            block.approx_filter_offset,
            block.exact_filter_m,
            block.exact_filter_offset,
        ];
        block.approx_filter_rank <= columns && places.iter().all(|bit| *bit <= MAX_PLACE)
    })
}

impl fmt::Debug for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Filter").field(&self.newest()).finish()
    }
}

/// Filters that belong together, and when they were made.
#[derive(Debug)]
pub struct Filters {
    filters: Vec<Arc<Filter>>,
    made: UnixTime,
}

impl Filters {
    /// Joins filters: a full one and those that tell what came after it. `made` is when the last
    /// of them was; without it, it is the newest time that they cover.
    #[must_use]
    pub fn new(filters: Vec<Arc<Filter>>, made: Option<UnixTime>) -> Self {
        let newest = filters.iter().map(|filter| filter.newest()).max();
        let made = made.or(newest).unwrap_or(UnixTime::from_seconds(0));
        Self { filters, made }
    }

    /// Reads files of one filter each.
    ///
    /// # Errors
    /// If one cannot be read or used.
    pub fn from_files<P: AsRef<Path>>(
        paths: impl IntoIterator<Item = P>,
    ) -> Result<Self, FilterError> {
        let filters = paths
            .into_iter()
            .map(|path| Ok(Arc::new(Filter::from_bytes(&read(path.as_ref())?)?)))
            .collect::<Result<_, _>>()?;
        Ok(Self::new(filters, None))
    }

    /// Reads a folder as `upki` keeps it: see [`upki_folders`].
    ///
    /// # Errors
    /// If there is no manifest, or a filter is missing or not the one that is listed.
    pub fn from_folder(folder: impl AsRef<Path>) -> Result<Self, FilterError> {
        let folder = folder.as_ref();
        let manifest = Manifest::from_json(&read(&folder.join(MANIFEST))?)?;
        let filters = manifest
            .files
            .iter()
            .map(|file| Ok(Arc::new(file.filter(&read(&folder.join(&file.filename))?)?)))
            .collect::<Result<_, _>>()?;
        Ok(Self::new(filters, Some(manifest.generated_at())))
    }

    /// When they were made.
    #[must_use]
    pub const fn made(&self) -> UnixTime {
        self.made
    }

    /// What they say of the certificate of `link`.
    fn status(&self, link: &Link<'_>, when: When<'_>, max_age: Duration) -> Status {
        if let Err(silence) = when.has_come(self.made) {
            return Status::Silent(silence);
        }
        let issuer = IssuerSpkiHash(super::sha256(&link.issuer.spki));
        let serial = link.fields.serial;
        let key = CRLiteKey::with_hash(
            &issuer,
            serial,
            super::sha256(&[&issuer.0, serial].concat()),
        );
        let stamps = sct::embedded(&link.fields);
        let stamps = || {
            let pairs = stamps.iter();
            pairs.map(|(log, time)| (LogId(*log), Timestamp(*time)))
        };
        let mut best = Status::Silent(Silence::Missing);
        for filter in &self.filters {
            match filter.0.contains(&key, stamps()) {
                CRLiteStatus::Revoked => {
                    return Status::Revoked {
                        since: None,
                        reason: None,
                    };
                }
                CRLiteStatus::Good => best = when.good_until(self.made.plus(max_age)),
                CRLiteStatus::NotEnrolled if !is_answer(&best) => {
                    best = Status::Silent(Silence::NotEnrolled);
                }
                CRLiteStatus::NotCovered if best == Status::Silent(Silence::Missing) => {
                    best = Status::Silent(Silence::NotCovered);
                }
                _ => {}
            }
        }
        best
    }
}

/// Whether a filter that covers the certificate has answered.
const fn is_answer(status: &Status) -> bool {
    matches!(
        status,
        Status::Good { .. } | Status::Silent(Silence::Stale(_))
    )
}

fn read(path: &Path) -> Result<Vec<u8>, FilterError> {
    std::fs::read(path)
        .map_err(|error| FilterError::Unreadable(LoadError::unreadable(&error).in_file(path)))
}

/// Where `upki` keeps filters on this machine: the user's folder, then the system's. Neither
/// needs to be there.
#[must_use]
pub fn upki_folders() -> Vec<PathBuf> {
    const WITHIN: &str = "upki/revocation";
    let user = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let home = || std::env::var_os("HOME").map(|home| Path::new(&home).join(".cache"));
    let user = user.filter(|path| path.is_absolute()).or_else(home);
    let system = PathBuf::from("/var/cache");
    let bases = user.into_iter().chain([system]);
    bases.map(|base| base.join(WITHIN)).collect()
}

/// Filters that verifiers share. [`Self::replace`] changes them for all, while connections go
/// on.
#[derive(Debug)]
pub struct FilterSet {
    filters: Replaceable<Filters>,
    max_age: Duration,
}

impl FilterSet {
    /// Holds `filters`, which count for ten days after they were made.
    #[must_use]
    pub fn new(filters: impl Into<Arc<Filters>>) -> Self {
        Self {
            filters: Replaceable::new(filters),
            max_age: MAX_AGE,
        }
    }

    /// For how long filters count after they were made.
    #[must_use]
    pub const fn max_age(mut self, age: Duration) -> Self {
        self.max_age = age;
        self
    }

    /// Holds these filters from now on, and no others: such as a
    /// [`Refresh`](super::refresh::Refresh) of them gives.
    pub fn replace(&self, filters: impl Into<Arc<Filters>>) {
        self.filters.replace(filters);
    }

    /// Which filters these are.
    pub(super) fn generation(&self) -> u64 {
        self.filters.generation()
    }

    /// The filters.
    #[must_use]
    pub fn current(&self) -> Arc<Filters> {
        self.filters.current()
    }

    pub(super) fn status(&self, link: &Link<'_>, when: When<'_>) -> Status {
        self.current().status(link, when, self.max_age)
    }
}
