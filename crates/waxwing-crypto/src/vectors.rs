//! Known-answer tests that every provider runs over itself.
