//! What both commands need of TLS.

use std::path::Path;
use std::sync::Arc;

use waxwing::KeyLogFile;

use crate::exit::Failure;
use crate::output::Talk;

/// Opens the file for secrets, and says so: whoever reads it reads the connections.
pub(crate) fn key_log(path: Option<&Path>, talk: Talk) -> Result<Option<Arc<KeyLogFile>>, Failure> {
    let Some(path) = path else {
        return Ok(None);
    };
    let log = KeyLogFile::open(path).map_err(|error| Failure::file(path, &error))?;
    talk.warn(format_args!(
        "the secrets of every connection are written to {} (--keylog or SSLKEYLOGFILE)",
        path.display()
    ));
    Ok(Some(Arc::new(log)))
}
