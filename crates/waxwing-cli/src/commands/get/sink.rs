//! Where the body goes.

use std::ffi::OsString;
use std::fs;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};
use tokio::fs::File;
use tokio::io::{AsyncWriteExt, Stdout};

use super::url::Target;
use crate::args::BodyArgs;
use crate::exit::Failure;
use crate::output::Talk;

/// A download that is over sooner needs no progress bar, in milliseconds.
const SOON: u128 = 500;

/// Takes a body.
pub(crate) struct Sink {
    to: To,
    length: u64,
    progress: Progress,
}

enum To {
    Stdout(Stdout),
    File {
        file: File,
        path: PathBuf,
    },
    /// Complete, it takes the place of `path`.
    Part {
        file: File,
        part: Part,
        path: PathBuf,
    },
    Nowhere,
}

impl Sink {
    /// Opens what the options name. `expected` is the length that the server promised.
    pub(crate) async fn open(
        args: &BodyArgs,
        target: &Target,
        expected: Option<u64>,
        talk: Talk,
    ) -> Result<Self, Failure> {
        let path = match (&args.output, args.remote_name) {
            (Some(path), _) if path.as_os_str() == "-" => None,
            (Some(path), _) => Some(path.clone()),
            (None, true) => {
                let name = target.file_name().ok_or_else(|| {
                    Failure::usage(format!("{target} ends in no file name; use --output"))
                })?;
                Some(PathBuf::from(name))
            }
            (None, false) => None,
        };
        let to = match path {
            Some(path) => to_file(path).await?,
            None if talk.json() => To::Nowhere,
            None => To::Stdout(tokio::io::stdout()),
        };
        let in_the_way = matches!(to, To::Stdout(_)) && io::stdout().is_terminal();
        let wanted = !talk.quiet() && !in_the_way && io::stderr().is_terminal();
        Ok(Self {
            to,
            length: 0,
            progress: Progress::new(wanted, expected),
        })
    }

    /// Takes a piece; `false` if whoever reads stdout has had enough.
    pub(crate) async fn write(&mut self, piece: &[u8]) -> Result<bool, Failure> {
        self.length += u64::try_from(piece.len()).unwrap_or_default();
        self.progress.at(self.length);
        match &mut self.to {
            // Flushed each time: a slow stream shall be seen as it comes.
            To::Stdout(out) => match write_through(out, piece).await {
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(false),
                Err(error) => return Err(Failure::stdout(&error)),
                Ok(()) => {}
            },
            To::File { file, path } | To::Part { file, path, .. } => {
                let written = file.write_all(piece).await;
                written.map_err(|error| Failure::file(path, &error))?;
            }
            To::Nowhere => {}
        }
        Ok(true)
    }

    /// The body is complete: returns its length and the file that it is in.
    pub(crate) async fn finish(mut self) -> Result<(u64, Option<PathBuf>), Failure> {
        self.progress.end();
        let path = match self.to {
            To::File { mut file, path } => {
                let flushed = file.flush().await;
                flushed.map_err(|error| Failure::file(&path, &error))?;
                Some(path)
            }
            To::Part {
                mut file,
                part,
                path,
            } => {
                let wrong = |error: io::Error| Failure::file(&path, &error);
                file.flush().await.map_err(wrong)?;
                drop(file);
                part.keep_as(&path).map_err(wrong)?;
                Some(path)
            }
            To::Stdout(_) | To::Nowhere => None,
        };
        Ok((self.length, path))
    }
}

async fn write_through(out: &mut Stdout, piece: &[u8]) -> io::Result<()> {
    out.write_all(piece).await?;
    out.flush().await
}

async fn to_file(path: PathBuf) -> Result<To, Failure> {
    // Devices and links are written to; only a plain file can be replaced.
    let direct = fs::symlink_metadata(&path).is_ok_and(|found| !found.is_file());
    let wrong = |error: io::Error| Failure::file(&path, &error);
    if direct {
        let file = File::create(&path).await.map_err(wrong)?;
        return Ok(To::File { file, path });
    }
    let name = part_name(&path);
    let file = File::create_new(&name).await.map_err(wrong)?;
    let part = Part(name);
    Ok(To::Part { file, part, path })
}

/// Beside the file, so that it can be renamed; of this process alone.
fn part_name(path: &Path) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(format!(".{}.part", std::process::id()));
    name.into()
}

/// An incomplete file. It does not stay.
struct Part(PathBuf);

impl Part {
    fn keep_as(self, path: &Path) -> io::Result<()> {
        fs::rename(&self.0, path)
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // Renamed, it is not there any more.
        let _ = fs::remove_file(&self.0);
    }
}

/// A progress bar that appears when waiting gets long.
struct Progress {
    start: Instant,
    expected: Option<u64>,
    wanted: bool,
    bar: Option<ProgressBar>,
}

impl Progress {
    fn new(wanted: bool, expected: Option<u64>) -> Self {
        Self {
            start: Instant::now(),
            expected,
            wanted,
            bar: None,
        }
    }

    fn at(&mut self, length: u64) {
        if !self.wanted || self.start.elapsed().as_millis() < SOON {
            return;
        }
        let (start, expected) = (self.start, self.expected);
        let bar = self
            .bar
            .get_or_insert_with(|| new_bar(expected).with_elapsed(start.elapsed()));
        bar.set_position(length);
    }

    fn end(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.end();
    }
}

fn new_bar(expected: Option<u64>) -> ProgressBar {
    let (bar, template) = match expected {
        Some(length) => (
            ProgressBar::new(length),
            "{wide_bar} {bytes}/{total_bytes} {binary_bytes_per_sec} {eta}",
        ),
        None => (
            ProgressBar::new_spinner(),
            "{spinner} {bytes} {binary_bytes_per_sec} {elapsed}",
        ),
    };
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
