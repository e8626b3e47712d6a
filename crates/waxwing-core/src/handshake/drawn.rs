//! Randomness that is drawn at once.
//!
//! A generator takes about as long for one value as for several: it looks for a fork, takes a lock
//! and renews its own key each time.

use core::sync::atomic::{AtomicUsize, Ordering};

use waxwing_crypto::{CryptoError, SecureRandom};
use zeroize::Zeroizing;

/// Bytes for the values of one side of one handshake, each given out once.
pub(crate) struct Drawn<const N: usize> {
    bytes: Zeroizing<[u8; N]>,
    used: AtomicUsize,
    source: &'static dyn SecureRandom,
}

impl<const N: usize> Drawn<N> {
    pub(crate) fn from(source: &'static dyn SecureRandom) -> Result<Self, CryptoError> {
        let mut bytes = Zeroizing::new([0; N]);
        source.fill(bytes.as_mut_slice())?;
        Ok(Self {
            bytes,
            used: AtomicUsize::new(0),
            source,
        })
    }

    /// The next bytes.
    pub(crate) fn next<const M: usize>(&self) -> Result<[u8; M], CryptoError> {
        let mut bytes = [0; M];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }
}

impl<const N: usize> SecureRandom for Drawn<N> {
    /// Whoever asks for more than there is, or after that, has a draw of its own.
    fn fill(&self, buf: &mut [u8]) -> Result<(), CryptoError> {
        let start = self.used.fetch_add(buf.len(), Ordering::Relaxed);
        let rest = self.bytes.get(start..).unwrap_or_default();
        match rest.get(..buf.len()) {
            Some(bytes) => {
                buf.copy_from_slice(bytes);
                Ok(())
            }
            None => self.source.fill(buf),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fills with the number of the call.
    struct Counting(AtomicUsize);

    impl SecureRandom for Counting {
        fn fill(&self, buf: &mut [u8]) -> Result<(), CryptoError> {
            let call = self.0.fetch_add(1, Ordering::Relaxed);
            // Bytes within a call differ, too.
            for (index, byte) in buf.iter_mut().enumerate() {
                *byte = (call * 100 + index) as u8;
            }
            Ok(())
        }
    }

    #[test]
    fn nothing_is_given_out_twice() {
        static SOURCE: Counting = Counting(AtomicUsize::new(0));
        let drawn = Drawn::<8>::from(&SOURCE).unwrap();
        assert_eq!(drawn.next().unwrap(), [0, 1, 2]);
        assert_eq!(drawn.next().unwrap(), [3, 4, 5]);
        assert_eq!(drawn.next().unwrap(), [100, 101, 102], "more than is left");
        assert_eq!(drawn.next().unwrap(), [200], "and everything after that");
        assert_eq!(drawn.next::<0>().unwrap(), []);
    }
}
