//! What the servers of a fleet share: ticket keys, sessions, guards against replay, and the stores
//! that they are in.
//!
//! ```text
//!                      one process         many, with a store
//!   tickets, sealed    TicketKeys          SharedTicketKeys       sessions/tickets.rs, fleet.rs
//!   sessions, kept     MemorySessions      StoreSessions          sessions/memory.rs, store.rs
//!   early data, once   LocalReplayGuard    SharedReplayGuard      replay/
//!   answers            -                   ServerAnswers          answers.rs
//!   the store          MemoryStore         DirStore, RedisStore   store/
//!   HTTP               early_data                                 early_data.rs
//! ```
//!
//! Begin with [`TicketKeys`]: it stores nothing, and nobody waits. Add a store when a second server
//! shall take the tickets of the first. `docs/fleet.md` tells which one, and what happens when it is
//! down.
//!
//! Nothing here fails a handshake: when a store does not answer in a few milliseconds, there is a full
//! handshake instead of a resumption, and no early data.

#![forbid(unsafe_code)]

mod answers;
pub mod early_data;
mod replay;
mod sessions;
pub mod store;

pub use answers::ServerAnswers;
pub use replay::{LocalReplayGuard, SharedReplayGuard};
pub use sessions::{
    FleetError, Health, MemorySessions, RefreshTask, Schedule, SharedTicketKeys, StoreSessions,
    TicketKeys,
};

/// Bytes in hexadecimal.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
