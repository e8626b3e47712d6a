//! Where a server's sessions are, and under which keys.
//!
//! ```text
//!   seal.rs     many messages under one key
//!   ring.rs     which key when
//!   tickets.rs  TicketKeys        sessions in the tickets, one process
//!   fleet.rs    SharedTicketKeys  the same for many
//!   memory.rs   MemorySessions    sessions in memory, one process
//!   store.rs    StoreSessions     sessions in a store, for many
//! ```

mod fleet;
mod memory;
mod ring;
mod seal;
mod store;
mod tickets;

pub use fleet::{FleetError, Health, RefreshTask, SharedTicketKeys};
pub use memory::MemorySessions;
pub use ring::Schedule;
pub use store::StoreSessions;
pub use tickets::TicketKeys;
