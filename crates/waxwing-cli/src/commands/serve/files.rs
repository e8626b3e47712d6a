//! Serving the files of a folder.

use core::pin::Pin;
use core::task::{Context, Poll, ready};
use std::fs;
use std::io::{self, Seek, SeekFrom};
use std::path::{Component, Path, PathBuf};
use std::time::SystemTime;

use bytes::Bytes;
use http::header::{
    ACCEPT_RANGES, ALLOW, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, HeaderName, HeaderValue,
    IF_MODIFIED_SINCE, IF_RANGE, LAST_MODIFIED, LOCATION, RANGE, X_CONTENT_TYPE_OPTIONS,
};
use http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt;
use hyper::body::{Frame, SizeHint};
use tokio::io::{AsyncRead, ReadBuf};

use super::connection::{Body, full, plain_status};
use super::listing;
use super::range::Wanted;
use crate::exit::Failure;

/// Bytes read from a file at a time.
const CHUNK: u64 = 64 * 1024;
/// A path that has more parts than this is no file of ours.
const MAX_PARTS: usize = 256;

/// A folder that is served.
#[derive(Clone, Debug)]
pub(crate) struct Files {
    root: PathBuf,
    hidden: bool,
}

/// What a path stands for.
enum Found {
    File {
        file: fs::File,
        length: u64,
        modified: Option<SystemTime>,
        content_type: &'static str,
    },
    Listing(String),
    /// A folder whose path lacks the final slash; here is the right one.
    Redirect(String),
    Nothing,
}

impl Files {
    pub(crate) fn new(dir: &Path, hidden: bool) -> Result<Self, Failure> {
        let root = fs::canonicalize(dir).map_err(|error| Failure::file(dir, &error))?;
        if !root.is_dir() {
            return Err(Failure::usage(format!("{}: not a folder", dir.display())));
        }
        fs::read_dir(&root).map_err(|error| Failure::file(dir, &error))?;
        Ok(Self { root, hidden })
    }

    /// The folder, without symbolic links in its path.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) async fn answer<B>(&self, request: &Request<B>) -> Response<Body> {
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            let mut response = plain_status(StatusCode::METHOD_NOT_ALLOWED);
            let allowed = HeaderValue::from_static("GET, HEAD");
            response.headers_mut().insert(ALLOW, allowed);
            return response;
        }
        let Some(parts) = self.parts(request.uri().path()) else {
            return plain_status(StatusCode::NOT_FOUND);
        };
        let files = self.clone();
        let folder = request.uri().path().ends_with('/');
        let found = tokio::task::spawn_blocking(move || files.find(&parts, folder)).await;
        match found {
            Ok(Ok(Found::File {
                file,
                length,
                modified,
                content_type,
            })) => send(request, file, length, modified, content_type),
            Ok(Ok(Found::Listing(page))) => {
                let mut response = Response::new(full(page));
                set(&mut response, CONTENT_TYPE, "text/html; charset=utf-8");
                response
            }
            Ok(Ok(Found::Redirect(path))) => {
                let mut response = plain_status(StatusCode::MOVED_PERMANENTLY);
                let query = request.uri().query();
                let query = query.map(|query| format!("?{query}")).unwrap_or_default();
                set(&mut response, LOCATION, &format!("{path}{query}"));
                response
            }
            Ok(Ok(Found::Nothing)) => plain_status(StatusCode::NOT_FOUND),
            Ok(Err(error)) => plain_status(status_of(&error)),
            Err(_) => plain_status(StatusCode::INTERNAL_SERVER_ERROR),
        }
    }

    /// Takes a path apart. `None` for what names nothing below the root: each part must be one
    /// plain file name after decoding, so neither `..` nor an encoded slash gets through.
    fn parts(&self, path: &str) -> Option<Vec<String>> {
        let mut parts = Vec::new();
        for part in path.split('/').filter(|part| !part.is_empty()) {
            let name = decode(part)?;
            let mut components = Path::new(&name).components();
            let plain = matches!(
                (components.next(), components.next()),
                (Some(Component::Normal(only)), None) if only == &*name
            );
            let visible = self.hidden || !name.starts_with('.') || name == ".well-known";
            if !plain || !visible || name.contains('\0') || parts.len() == MAX_PARTS {
                return None;
            }
            parts.push(name);
        }
        Some(parts)
    }

    /// Finds what the path stands for. Blocks.
    fn find(&self, parts: &[String], folder: bool) -> io::Result<Found> {
        let mut path = self.root.clone();
        path.extend(parts);
        let Some(path) = self.inside(&path)? else {
            return Ok(Found::Nothing);
        };
        if !path.is_dir() {
            return if folder && !parts.is_empty() {
                Ok(Found::Nothing)
            } else {
                open(&path)
            };
        }
        let place = format!(
            "/{}",
            parts
                .iter()
                .map(|part| format!("{part}/"))
                .collect::<String>()
        );
        if !folder {
            return Ok(Found::Redirect(listing::encode(&place)));
        }
        match self.inside(&path.join("index.html")) {
            Ok(Some(index)) if index.is_file() => open(&index),
            _ => listing::page(&path, &place, self.hidden).map(Found::Listing),
        }
    }

    /// Resolves symbolic links; `None` if they lead out of the root.
    fn inside(&self, path: &Path) -> io::Result<Option<PathBuf>> {
        let real = fs::canonicalize(path)?;
        Ok(real.starts_with(&self.root).then_some(real))
    }
}

fn open(path: &Path) -> io::Result<Found> {
    // Before opening, because opening a named pipe would wait for a writer.
    if !fs::metadata(path)?.is_file() {
        return Ok(Found::Nothing);
    }
    let file = fs::File::open(path)?;
    let metadata = file.metadata()?;
    Ok(Found::File {
        length: metadata.len(),
        modified: metadata.modified().ok(),
        content_type: content_type(path),
        file,
    })
}

fn send<B>(
    request: &Request<B>,
    mut file: fs::File,
    length: u64,
    modified: Option<SystemTime>,
    content_type: &str,
) -> Response<Body> {
    let header = |name: HeaderName| request.headers().get(name)?.to_str().ok();
    let stamp = modified.map(httpdate::fmt_http_date);
    let mut response = Response::new(full(Bytes::new()));
    set(&mut response, CONTENT_TYPE, content_type);
    set(&mut response, X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(&mut response, ACCEPT_RANGES, "bytes");
    if let Some(stamp) = &stamp {
        set(&mut response, LAST_MODIFIED, stamp);
    }
    if not_modified(modified, header(IF_MODIFIED_SINCE)) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return response;
    }
    // RFC 9110, Section 13.1.5: a part is of no use if the file is another one by now.
    let same = header(IF_RANGE).is_none_or(|known| Some(known) == stamp.as_deref());
    let range = header(RANGE).filter(|_| same && request.method() == Method::GET);
    let (start, count) = match Wanted::new(range, length) {
        Wanted::All => (0, length),
        Wanted::Part {
            start,
            length: count,
        } => {
            *response.status_mut() = StatusCode::PARTIAL_CONTENT;
            let last = start.saturating_add(count).saturating_sub(1);
            let value = format!("bytes {start}-{last}/{length}");
            set(&mut response, CONTENT_RANGE, &value);
            (start, count)
        }
        Wanted::Nothing => {
            let mut response = plain_status(StatusCode::RANGE_NOT_SATISFIABLE);
            set(&mut response, CONTENT_RANGE, &format!("bytes */{length}"));
            return response;
        }
    };
    set(&mut response, CONTENT_LENGTH, &count.to_string());
    if request.method() == Method::HEAD {
        return response;
    }
    if start > 0
        && let Err(error) = file.seek(SeekFrom::Start(start))
    {
        return plain_status(status_of(&error));
    }
    *response.body_mut() = FileBody::new(file, count).map_err(Into::into).boxed();
    response
}

/// RFC 9110, Section 13.1.3. HTTP dates have no fractions of a second.
fn not_modified(modified: Option<SystemTime>, since: Option<&str>) -> bool {
    let seconds = |time: SystemTime| {
        let since = time.duration_since(SystemTime::UNIX_EPOCH);
        since.ok().map(|since| since.as_secs())
    };
    let modified = modified.and_then(seconds);
    let since = since
        .and_then(|text| httpdate::parse_http_date(text).ok())
        .and_then(seconds);
    matches!((modified, since), (Some(modified), Some(since)) if modified <= since)
}

fn status_of(error: &io::Error) -> StatusCode {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory | io::ErrorKind::InvalidFilename => {
            StatusCode::NOT_FOUND
        }
        io::ErrorKind::PermissionDenied => StatusCode::FORBIDDEN,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

fn set(response: &mut Response<Body>, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

/// Undoes percent-encoding; `None` if it is malformed or no UTF-8.
pub(crate) fn decode(part: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        if first != b'%' {
            bytes.push(first);
            continue;
        }
        let (digits, after) = rest.split_first_chunk::<2>()?;
        let digit = |byte: u8| char::from(byte).to_digit(16);
        let value = digit(digits[0])? << 4 | digit(digits[1])?;
        bytes.push(u8::try_from(value).ok()?);
        rest = after;
    }
    String::from_utf8(bytes).ok()
}

fn content_type(path: &Path) -> &'static str {
    let extension = path.extension().and_then(|extension| extension.to_str());
    match extension.unwrap_or_default().to_ascii_lowercase().as_str() {
        "html" | "htm" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "txt" | "md" | "log" | "toml" | "rs" => "text/plain; charset=utf-8",
        "csv" => "text/csv; charset=utf-8",
        "xml" => "application/xml",
        "json" | "map" => "application/json",
        "jsonl" => "application/jsonl",
        "wasm" => "application/wasm",
        "pdf" => "application/pdf",
        "zip" => "application/zip",
        "gz" | "tgz" => "application/gzip",
        "pem" | "crt" => "application/x-pem-file",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "svg" => "image/svg+xml",
        "webp" => "image/webp",
        "avif" => "image/avif",
        "ico" => "image/vnd.microsoft.icon",
        "woff" => "font/woff",
        "woff2" => "font/woff2",
        "ttf" => "font/ttf",
        "otf" => "font/otf",
        "mp3" => "audio/mpeg",
        "ogg" => "audio/ogg",
        "wav" => "audio/wav",
        "mp4" => "video/mp4",
        "webm" => "video/webm",
        _ => "application/octet-stream",
    }
}

/// Some bytes of a file, read as they are sent.
struct FileBody {
    file: tokio::fs::File,
    buffer: Vec<u8>,
    remaining: u64,
}

impl FileBody {
    fn new(file: fs::File, length: u64) -> Self {
        let size = usize::try_from(length.min(CHUNK)).unwrap_or_default();
        Self {
            file: tokio::fs::File::from_std(file),
            buffer: vec![0; size],
            remaining: length,
        }
    }
}

impl hyper::body::Body for FileBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let this = self.get_mut();
        if this.remaining == 0 {
            return Poll::Ready(None);
        }
        let room = usize::try_from(this.remaining).unwrap_or(usize::MAX);
        let size = room.min(this.buffer.len());
        let mut buffer = ReadBuf::new(this.buffer.get_mut(..size).unwrap_or_default());
        ready!(Pin::new(&mut this.file).poll_read(cx, &mut buffer))?;
        let read = buffer.filled();
        if read.is_empty() {
            let shorter = "the file became shorter while it was sent";
            return Poll::Ready(Some(Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                shorter,
            ))));
        }
        this.remaining = this
            .remaining
            .saturating_sub(u64::try_from(read.len()).unwrap_or(u64::MAX));
        Poll::Ready(Some(Ok(Frame::data(Bytes::copy_from_slice(read)))))
    }

    fn is_end_stream(&self) -> bool {
        self.remaining == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.remaining)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> (tempfile::TempDir, Files) {
        let outside = tempfile::tempdir().unwrap();
        let root = outside.path().join("root");
        fs::create_dir_all(root.join("sub dir")).unwrap();
        fs::write(outside.path().join("secret"), "secret").unwrap();
        fs::write(root.join("a.txt"), "0123456789").unwrap();
        fs::write(root.join(".hidden"), "hidden").unwrap();
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink("../secret", root.join("out")).unwrap();
            std::os::unix::fs::symlink("a.txt", root.join("in")).unwrap();
        }
        let files = Files::new(&root, false).unwrap();
        (outside, files)
    }

    async fn get(files: &Files, path: &str, headers: &[(HeaderName, &str)]) -> (u16, String) {
        let mut request = Request::get(path);
        for (name, value) in headers {
            request = request.header(name, *value);
        }
        let response = files.answer(&request.body(()).unwrap()).await;
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn files_and_parts_of_files_are_served() {
        let (_outside, files) = folder();
        let whole = (200, "0123456789".to_owned());
        assert_eq!(get(&files, "/a.txt", &[]).await, whole);
        assert_eq!(get(&files, "/%61.txt?query", &[]).await, whole);
        let part = (206, "234".to_owned());
        assert_eq!(get(&files, "/a.txt", &[(RANGE, "bytes=2-4")]).await, part);
        assert_eq!(get(&files, "/a.txt", &[(RANGE, "bytes=10-")]).await.0, 416);
        let stale = [(RANGE, "bytes=2-4"), (IF_RANGE, "something else")];
        assert_eq!(get(&files, "/a.txt", &stale).await, whole);
    }

    #[tokio::test]
    async fn what_has_not_changed_is_not_sent_again() {
        let (_outside, files) = folder();
        let now = httpdate::fmt_http_date(SystemTime::now());
        let since = |date| (IF_MODIFIED_SINCE, date);
        let (status, body) = get(&files, "/a.txt", &[since(&*now)]).await;
        assert_eq!((status, &*body), (304, ""));
        let old = "Thu, 01 Jan 1970 00:00:00 GMT";
        assert_eq!(get(&files, "/a.txt", &[since(old)]).await.0, 200);
    }

    #[tokio::test]
    async fn nothing_outside_of_the_folder_is_served() {
        let (_outside, files) = folder();
        for path in [
            "/../secret",
            "/%2e%2e/secret",
            "/sub%20dir/../../secret",
            "/..%2fsecret",
            "/%2e%2e%2fsecret",
            "/sub%20dir%2f..%2f..%2fsecret",
            "/out",
            "/.hidden",
            "/a.txt%00",
            "/a.txt/",
            "/%zz",
            "/%ff",
            "/missing",
        ] {
            assert_eq!(get(&files, path, &[]).await.0, 404, "{path}");
        }
        #[cfg(unix)]
        assert_eq!(get(&files, "/in", &[]).await.0, 200);
    }

    #[tokio::test]
    async fn a_redirect_stays_on_this_server() {
        let (_outside, files) = folder();
        let request = Request::get("//sub%20dir?q").body(()).unwrap();
        let response = files.answer(&request).await;
        assert_eq!(response.status(), 301);
        assert_eq!(response.headers()[LOCATION], "/sub%20dir/?q");
    }

    #[tokio::test]
    async fn other_methods_are_refused() {
        let (_outside, files) = folder();
        let request = Request::delete("/a.txt").body(()).unwrap();
        let response = files.answer(&request).await;
        assert_eq!(response.status(), 405);
        assert_eq!(response.headers()[ALLOW], "GET, HEAD");
    }
}
