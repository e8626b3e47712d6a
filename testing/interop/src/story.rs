//! What happened on our end.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use waxwing::{AlertDescription, Direction, HandshakeType, Trace, TraceEvent};

/// `change_cipher_spec`, as the header of a record has it.
const CHANGE_CIPHER_SPEC: u8 = 20;

/// `application_data`: in TLS 1.3 every protected record.
const APPLICATION_DATA: u8 = 23;

/// Remembers the messages, alerts and records of the connections that it is given to.
#[derive(Debug, Default)]
pub struct Story {
    told: Mutex<Told>,
}

#[derive(Debug, Default)]
struct Told {
    messages: Vec<(Direction, HandshakeType)>,
    alerts: Vec<(Direction, AlertDescription)>,
    compatibility: Vec<Direction>,
    /// Of records that show the type application_data.
    lengths: Vec<(Direction, usize)>,
}

impl Story {
    /// An empty one, to be shared with a configuration.
    #[must_use]
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// How often a message of this type went in this direction.
    #[must_use]
    pub fn count(&self, direction: Direction, typ: HandshakeType) -> usize {
        let wanted = (direction, typ);
        let messages = &self.told().messages;
        messages.iter().filter(|seen| **seen == wanted).count()
    }

    /// KeyUpdate messages that the peer sent.
    #[must_use]
    pub fn key_updates_received(&self) -> usize {
        self.count(Direction::Received, HandshakeType::KEY_UPDATE)
    }

    /// KeyUpdate messages that we sent.
    #[must_use]
    pub fn key_updates_sent(&self) -> usize {
        self.count(Direction::Sent, HandshakeType::KEY_UPDATE)
    }

    /// Whether this alert went in this direction.
    #[must_use]
    pub fn has_alert(&self, direction: Direction, description: AlertDescription) -> bool {
        self.told().alerts.contains(&(direction, description))
    }

    /// How often this alert went in this direction.
    #[must_use]
    pub fn count_alerts(&self, direction: Direction, description: AlertDescription) -> usize {
        let wanted = (direction, description);
        let alerts = &self.told().alerts;
        alerts.iter().filter(|seen| **seen == wanted).count()
    }

    /// How often change_cipher_spec went in this direction (RFC 9846, Appendix E.4).
    #[must_use]
    pub fn change_cipher_specs(&self, direction: Direction) -> usize {
        let compatibility = &self.told().compatibility;
        compatibility
            .iter()
            .filter(|seen| **seen == direction)
            .count()
    }

    /// Bytes after the header of the longest record of application data that went in this
    /// direction.
    #[must_use]
    pub fn longest_record(&self, direction: Direction) -> Option<usize> {
        let told = self.told();
        let lengths = told.lengths.iter().filter(|(way, _)| *way == direction);
        lengths.map(|(_, length)| *length).max()
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Trace for Story {
    fn event(&self, event: &TraceEvent<'_>) {
        let mut told = self.told();
        match event {
            TraceEvent::Message { direction, typ, .. } => told.messages.push((*direction, *typ)),
            TraceEvent::Alert {
                direction,
                description,
            } => told.alerts.push((*direction, *description)),
            TraceEvent::Record {
                direction,
                outer_type: CHANGE_CIPHER_SPEC,
                ..
            } => told.compatibility.push(*direction),
            TraceEvent::Record {
                direction,
                outer_type: APPLICATION_DATA,
                length,
                ..
            } => told.lengths.push((*direction, *length)),
            _ => {}
        }
    }
}
