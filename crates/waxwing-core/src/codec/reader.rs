//! Reads structures out of borrowed bytes.

use crate::error::{DecodeError, Problem};

/// A structure that can be read.
pub(crate) trait Read<'a>: Sized {
    /// Takes one from the front of `reader`.
    fn read(reader: &mut Reader<'a>) -> Result<Self, DecodeError>;
}

/// What is left to read of one structure.
#[derive(Clone, Debug)]
pub(crate) struct Reader<'a> {
    field: &'static str,
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Reads `bytes` as the field or message of that name.
    pub(crate) const fn new(field: &'static str, bytes: &'a [u8]) -> Self {
        Self { field, rest: bytes }
    }

    /// The error that blames this structure.
    pub(crate) const fn error(&self, problem: Problem) -> DecodeError {
        DecodeError {
            field: self.field,
            problem,
        }
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// Takes `len` bytes.
    pub(crate) fn take(&mut self, len: usize) -> Result<&'a [u8], DecodeError> {
        let (taken, rest) = self
            .rest
            .split_at_checked(len)
            .ok_or_else(|| self.error(Problem::Short))?;
        self.rest = rest;
        Ok(taken)
    }

    /// Takes an array.
    pub(crate) fn array<const N: usize>(&mut self) -> Result<&'a [u8; N], DecodeError> {
        let (taken, rest) = self
            .rest
            .split_first_chunk()
            .ok_or_else(|| self.error(Problem::Short))?;
        self.rest = rest;
        Ok(taken)
    }

    /// Takes all that is left.
    pub(crate) const fn take_rest(&mut self) -> &'a [u8] {
        let rest = self.rest;
        self.rest = &[];
        rest
    }

    pub(crate) fn u8(&mut self) -> Result<u8, DecodeError> {
        self.array().map(|&[byte]| byte)
    }

    pub(crate) fn u16(&mut self) -> Result<u16, DecodeError> {
        self.array().map(|bytes| u16::from_be_bytes(*bytes))
    }

    pub(crate) fn u24(&mut self) -> Result<usize, DecodeError> {
        self.array()
            .map(|&[a, b, c]| u32::from_be_bytes([0, a, b, c]) as usize)
    }

    pub(crate) fn u32(&mut self) -> Result<u32, DecodeError> {
        self.array().map(|bytes| u32::from_be_bytes(*bytes))
    }

    /// Takes `opaque field<0..2^8-1>`.
    pub(crate) fn vec8(&mut self, field: &'static str) -> Result<Self, DecodeError> {
        let len = self.u8()?;
        self.vector(field, usize::from(len))
    }

    /// Takes `opaque field<0..2^16-1>`.
    pub(crate) fn vec16(&mut self, field: &'static str) -> Result<Self, DecodeError> {
        let len = self.u16()?;
        self.vector(field, usize::from(len))
    }

    /// Takes `opaque field<0..2^24-1>`.
    pub(crate) fn vec24(&mut self, field: &'static str) -> Result<Self, DecodeError> {
        let len = self.u24()?;
        self.vector(field, len)
    }

    // Inlined again and again, as in the loops over a list, this makes chains of dependent lengths
    // on which constraint elimination in LLVM 22 spends exponential time.
    #[inline(never)]
    fn vector(&mut self, field: &'static str, len: usize) -> Result<Self, DecodeError> {
        let bytes = self.take(len).map_err(|_| DecodeError {
            field,
            problem: Problem::Short,
        })?;
        Ok(Reader::new(field, bytes))
    }

    /// What is left, if there is something: the vectors with a floor of 1.
    pub(crate) const fn non_empty(self) -> Result<Self, DecodeError> {
        if self.rest.is_empty() {
            Err(self.error(Problem::Length))
        } else {
            Ok(self)
        }
    }

    /// Checks that nothing is left.
    pub(crate) const fn finish(self) -> Result<(), DecodeError> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(self.error(Problem::Trailing))
        }
    }
}

impl<'a> Read<'a> for u8 {
    fn read(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        reader.u8()
    }
}

impl<'a> Read<'a> for u16 {
    fn read(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        reader.u16()
    }
}

macro_rules! read_code_point {
    ($int:ident: $($name:ty),*) => {
        $(impl<'a> Read<'a> for $name {
            fn read(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
                reader.$int().map(Self)
            }
        })*
    };
}

read_code_point!(u8: crate::messages::CertificateType);
read_code_point!(
    u16: waxwing_crypto::CipherSuite,
    waxwing_crypto::NamedGroup,
    waxwing_crypto::SignatureScheme,
    crate::messages::CertificateCompressionAlgorithm,
    crate::messages::ExtensionType,
    crate::messages::ProtocolVersion
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_field_that_is_short() {
        let mut reader = Reader::new("outer", &[0, 3, 1, 2]);
        let error = reader.vec16("inner").unwrap_err();
        assert_eq!(
            error,
            DecodeError {
                field: "inner",
                problem: Problem::Short
            }
        );
        let mut reader = Reader::new("outer", &[0]);
        let error = reader.vec16("inner").unwrap_err();
        assert_eq!(
            error,
            DecodeError {
                field: "outer",
                problem: Problem::Short
            }
        );
    }

    #[test]
    fn finish_refuses_trailing_bytes() {
        let mut reader = Reader::new("x", &[0, 0, 7, 9]);
        assert_eq!(reader.u24(), Ok(7));
        assert!(reader.clone().finish().is_err());
        assert_eq!(reader.u8(), Ok(9));
        assert!(reader.finish().is_ok());
    }
}
