//! A part of a file (RFC 9110, Section 14).

/// What a `Range` header asks of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// All of it: the header is absent, malformed, or asks for several parts.
    All,
    /// These bytes.
    Part {
        /// The first byte.
        start: u64,
        /// How many.
        length: u64,
    },
    /// Something that the file does not have.
    Nothing,
}

impl Wanted {
    /// Reads the header's value for a file of `length` bytes. What cannot be read is ignored
    /// (Section 14.2).
    pub(crate) fn new(header: Option<&str>, length: u64) -> Self {
        header
            .and_then(|text| part(text, length))
            .unwrap_or(Self::All)
    }
}

fn part(text: &str, length: u64) -> Option<Wanted> {
    let (first, last) = text.trim().strip_prefix("bytes=")?.split_once('-')?;
    if first.is_empty() {
        let count = number(last)?.min(length);
        return Some(match count {
            0 => Wanted::Nothing,
            _ => Wanted::Part {
                start: length.saturating_sub(count),
                length: count,
            },
        });
    }
    let start = number(first)?;
    let end = if last.is_empty() {
        u64::MAX
    } else {
        number(last)?
    };
    if end < start {
        return None;
    }
    if start >= length {
        return Some(Wanted::Nothing);
    }
    let count = end.saturating_sub(start).saturating_add(1);
    Some(Wanted::Part {
        start,
        length: count.min(length.saturating_sub(start)),
    })
}

/// Digits only: no sign.
fn number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_lie_within_the_file() {
        let part = |start, length| Wanted::Part { start, length };
        for (text, wanted) in [
            ("bytes=0-0", part(0, 1)),
            ("bytes=2-5", part(2, 4)),
            ("bytes=2-", part(2, 8)),
            ("bytes=2-99999999999999999999999", part(2, 8)),
            ("bytes=-3", part(7, 3)),
            ("bytes=-300", part(0, 10)),
            ("bytes=10-", Wanted::Nothing),
            ("bytes=-0", Wanted::Nothing),
            ("bytes=5-2", Wanted::All),
            ("bytes=0-1,3-4", Wanted::All),
            ("bytes=+1-2", Wanted::All),
            ("bytes=-", Wanted::All),
            ("lines=0-1", Wanted::All),
        ] {
            assert_eq!(Wanted::new(Some(text), 10), wanted, "{text}");
        }
        assert_eq!(Wanted::new(None, 10), Wanted::All);
        assert_eq!(Wanted::new(Some("bytes=0-"), 0), Wanted::Nothing);
    }
}
