//! What verifiers share and somebody replaces while they use it.

use alloc::sync::Arc;
use std::sync::{PoisonError, RwLock};

/// A value and how often it was replaced. Both change at once: in any other order, what was judged
/// by the old value could pass for judged by the new one.
#[derive(Debug)]
pub(super) struct Replaceable<T> {
    current: RwLock<(u64, Arc<T>)>,
}

impl<T> Replaceable<T> {
    pub(super) fn new(value: impl Into<Arc<T>>) -> Self {
        Self {
            current: RwLock::new((0, value.into())),
        }
    }

    pub(super) fn replace(&self, value: impl Into<Arc<T>>) {
        let value = value.into();
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        *current = (current.0.wrapping_add(1), value);
    }

    pub(super) fn current(&self) -> Arc<T> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&current.1)
    }

    /// Which value this is. Who reads this and then asks is answered by this or a newer one.
    pub(super) fn generation(&self) -> u64 {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        current.0
    }
}
