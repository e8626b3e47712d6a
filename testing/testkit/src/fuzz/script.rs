//! Reads a fuzzer's bytes as a script. Past the end everything is zero or empty.

pub(super) struct Script<'a>(&'a [u8]);

impl<'a> Script<'a> {
    pub(super) const fn new(data: &'a [u8]) -> Self {
        Self(data)
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else {
            return 0;
        };
        self.0 = rest;
        *first
    }

    pub(super) fn word(&mut self) -> u16 {
        u16::from_be_bytes([self.byte(), self.byte()])
    }

    pub(super) fn flag(&mut self) -> bool {
        self.byte() & 1 == 1
    }

    /// Bytes after a length of one byte.
    pub(super) fn bytes(&mut self) -> &'a [u8] {
        let len = usize::from(self.byte());
        self.take(len)
    }

    /// All that is left.
    pub(super) const fn rest(&mut self) -> &'a [u8] {
        let rest = self.0;
        self.0 = &[];
        rest
    }

    fn take(&mut self, len: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(len.min(self.0.len()));
        self.0 = rest;
        taken
    }

    /// A place in something `len` bytes long, or its end.
    pub(super) fn place(&mut self, len: usize) -> usize {
        usize::from(self.word()) % (len + 1)
    }

    /// Replaces a few bytes of `target` somewhere.
    pub(super) fn edit(&mut self, target: &mut Vec<u8>) {
        let start = self.place(target.len());
        let end = target.len().min(start + usize::from(self.byte() % 16));
        target.splice(start..end, self.bytes().iter().copied());
    }
}
