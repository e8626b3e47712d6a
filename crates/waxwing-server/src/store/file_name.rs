//! Keys as paths of files, and back.
//!
//! A part of a key that is followed by another becomes a folder, the last one a file. What could
//! mean something else to a file system is written as `%` and two hexadecimal digits: a leading dot,
//! and all but lower-case letters, digits, `-`, `_` and `.`, so that keys that differ in case alone
//! differ everywhere. Names of files end with `=`, which no folder's does; those of temporary files
//! begin with a dot, which nothing else's does.

use std::path::PathBuf;

use super::StoreError;

/// Bytes that file systems allow for one name.
const MAX_NAME: usize = 255;
const END_OF_FILE_NAME: char = '=';

/// Where the value of a key is, below the root.
pub(super) fn path_of(key: &str) -> Result<PathBuf, StoreError> {
    let mut path = PathBuf::new();
    let mut parts = key.split('/').peekable();
    while let Some(part) = parts.next() {
        let mut name = encode(part);
        if parts.peek().is_none() {
            name.push(END_OF_FILE_NAME);
        }
        if name.len() > MAX_NAME {
            return Err(StoreError::InvalidKey(
                "a part is too long for a file's name",
            ));
        }
        path.push(name);
    }
    Ok(path)
}

fn encode(part: &str) -> String {
    let mut name = String::with_capacity(part.len() + 1);
    for (at, byte) in part.bytes().enumerate() {
        let is_plain =
            matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_') || (byte == b'.' && at > 0);
        if is_plain {
            name.push(char::from(byte));
        } else {
            name.push_str(&format!("%{byte:02x}"));
        }
    }
    name
}

/// The last part of a key, from the name of the file with its value. `None` if it is no such file.
pub(super) fn part_of_file(name: &str) -> Option<String> {
    decode(name.strip_suffix(END_OF_FILE_NAME)?)
}

/// An earlier part of a key, from the name of a folder.
pub(super) fn part_of_folder(name: &str) -> Option<String> {
    decode(name)
}

fn decode(name: &str) -> Option<String> {
    let mut parts = name.split('%');
    let mut decoded = parts.next()?.to_owned();
    for part in parts {
        let byte = u8::from_str_radix(part.get(..2)?, 16).ok()?;
        decoded.push(char::from(byte));
        decoded.push_str(part.get(2..)?);
    }
    // Only what we would have written ourselves: other people's files are no values.
    (!decoded.is_empty() && encode(&decoded) == name).then_some(decoded)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn names_are_safe_and_read_back() {
        for (key, expected) in [
            ("stek/web", "stek/web="),
            ("a", "a="),
            ("a/b.c", "a/b.c="),
            ("..", "%2e.="),
            ("../.ssh/x", "%2e./%2essh/x="),
            ("A", "%41="),
            ("a=", "a%3d="),
            ("a%2f", "a%252f="),
            ("CON:*?\\", "%43%4f%4e%3a%2a%3f%5c="),
        ] {
            let path = path_of(key).unwrap();
            assert_eq!(path, Path::new(expected));
            let names: Vec<_> = path.iter().map(|name| name.to_str().unwrap()).collect();
            let (file, folders) = names.split_last().unwrap();
            let parts = folders.iter().map(|name| part_of_folder(name).unwrap());
            let parts: Vec<_> = parts.chain(part_of_file(file)).collect();
            assert_eq!(parts.join("/"), key);
        }
    }

    #[test]
    fn other_files_are_no_values() {
        for name in [
            "readme", "", "=", ".lock=", "A=", "%41", "%4=", "%zz=", "%61=", "%é=",
        ] {
            assert_eq!(part_of_file(name), None, "{name}");
        }
    }

    #[test]
    fn what_no_file_can_be_called_is_refused() {
        assert!(path_of(&"a".repeat(254)).is_ok());
        assert!(path_of(&"a".repeat(255)).is_err());
        assert!(path_of(&"A".repeat(90)).is_err());
    }
}
