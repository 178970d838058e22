//! What goes wrong outside: a fault of any class that the lab knows, once or for as long as a turn lasts.

use holdfast_lab::faults::{Fault, Rule, Side};
use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;

/// A fault of any class.
pub fn any(rng: &mut StdRng) -> Rule {
    let side = if rng.random_bool(0.5) {
        Side::Exchange
    } else {
        Side::Salesforce
    };
    let fault = match rng.random_range(0..14) {
        0 => Fault::Busy { back_off_ms: 5 },
        1 => Fault::Slow { ms: 5 },
        2 => Fault::Cut {
            after_bytes: rng.random_range(0..400),
        },
        3 => Fault::Html { status: 200 },
        4 => Fault::HttpStatus {
            status: 503,
            retry_after: Some(0),
        },
        5 => Fault::HttpStatus {
            status: 500,
            retry_after: None,
        },
        6 => Fault::HalfApplied,
        7 => Fault::ApplyThenCut,
        8 => Fault::ExpiredToken,
        9 => Fault::LostCursor,
        10 => Fault::IllegalXml,
        11 => Fault::Down,
        12 => Fault::LimitExceeded,
        _ => Fault::LockedRow,
    };
    let operation = aim(rng, &fault, side);
    Rule {
        side,
        mailbox: None,
        times: match fault {
            // A row that a colleague's long transaction holds stays locked beyond our own small retries.
            Fault::LockedRow => None,
            _ => Some(rng.random_range(1..=3)),
        },
        skip: match &operation {
            Some(_) => 0,
            None => rng.random_range(0..8),
        },
        operation: operation.map(str::to_owned),
        fault,
        probability: None,
        seed: 0,
    }
}

/// Faults of some classes concern a few operations alone; most of the time they are aimed at one of these, so
/// that they strike at all.
fn aim(rng: &mut StdRng, fault: &Fault, side: Side) -> Option<&'static str> {
    if rng.random_bool(0.3) {
        return None;
    }
    let writes = match side {
        Side::Exchange => ["CreateItem", "UpdateItem", "DeleteItem"],
        Side::Salesforce => ["collections_create", "collections_update", "collections_delete"],
    };
    match (fault, side) {
        (Fault::LostCursor, Side::Exchange) => Some("SyncFolderItems"),
        (Fault::IllegalXml, Side::Exchange) => Some("GetItem"),
        (Fault::HalfApplied | Fault::ApplyThenCut | Fault::Cut { .. }, _) => writes.choose(rng).copied(),
        _ => None,
    }
}

/// True where the connector takes it to heart for longer than a world lasts: it waits by the machine's clock.
pub fn lingers(rule: &Rule) -> bool {
    rule.side == Side::Exchange && matches!(rule.fault, Fault::LimitExceeded | Fault::ExpiredToken)
}
