//! Whether certificates are revoked, who says so, and how that stays fresh.

#![forbid(unsafe_code)]

mod filters;
mod lists;
mod logs;
mod refresh;
mod staples;
mod table;
mod world;
