//! What is refused as soon as a message is read, whoever sent it.

use super::Case;
use crate::messages::encrypted_extensions::EncryptedExtensions;
use crate::messages::server_key_exchange::ServerKeyExchange;
use crate::messages::testing::{block, set, written};
use crate::{Error, ExtensionType as T, PeerError as P};

pub(super) const CASES: &[Case] = &[
    (
        "two limits of the size of records",
        Error::Peer(P::TwoSizeLimits),
        || {
            let both = block(&[
                (T::MAX_FRAGMENT_LENGTH, &[4]),
                (T::RECORD_SIZE_LIMIT, &[0x40, 1]),
            ]);
            let body = written(|w| {
                w.vec16(|w| {
                    w.bytes(&both);
                    Ok(())
                })
            });
            let offered = set(&[T::MAX_FRAGMENT_LENGTH, T::RECORD_SIZE_LIMIT]);
            EncryptedExtensions::read(&body, &offered).unwrap_err()
        },
    ),
    ("a curve without a name", Error::Peer(P::CurveType), || {
        ServerKeyExchange::read(&[1]).unwrap_err()
    }),
];
