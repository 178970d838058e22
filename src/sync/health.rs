//! Does every stream get its turn? "It silently stopped" must not be possible. Pure.

use super::store::totals::StreamStatus;
use crate::foundation::ids::MailboxId;
use crate::record::kind::RecordKind;
use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

/// A stream without a good turn for so long, though it should have had one, is told of.
pub const SILENT_AFTER: TimeDelta = TimeDelta::hours(1);

/// A stream that has had no good turn for long.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Silent {
    /// Whose.
    pub mailbox: String,
    /// The appliance's number.
    pub mailbox_id: MailboxId,
    /// Which.
    pub kind: RecordKind,
    /// Since when; `None` where it never had one.
    pub since: Option<DateTime<Utc>>,
    /// What its last turn failed with.
    pub error: Option<String>,
}

/// The streams that have had no good turn for long, the longest silent first. Paused ones are meant to be silent.
pub fn silent(streams: &[StreamStatus], now: DateTime<Utc>) -> Vec<Silent> {
    let mut silent: Vec<Silent> = streams
        .iter()
        .filter(|stream| stream.state != "paused" && !stream.running)
        .filter(|stream| match stream.last_turn_at {
            Some(at) => now - at > SILENT_AFTER && (stream.due_at < now || stream.error.is_some()),
            // A new one has its first turn before it.
            None => stream.error.is_some() || now - stream.due_at > SILENT_AFTER,
        })
        .map(|stream| Silent {
            mailbox: stream.mailbox.clone(),
            mailbox_id: stream.mailbox_id,
            kind: stream.kind,
            since: stream.last_turn_at,
            error: stream.error.clone(),
        })
        .collect();
    silent.sort_by_key(|stream| stream.since);
    silent
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(minutes_ago: Option<i64>, due_in: i64, error: Option<&str>) -> StreamStatus {
        let now = DateTime::UNIX_EPOCH;
        StreamStatus {
            mailbox: "ada@example.com".to_owned(),
            mailbox_id: MailboxId(1),
            state: "active".to_owned(),
            kind: RecordKind::Tasks,
            linked: 0,
            skipped: 0,
            failed: 0,
            held: 0,
            read: 0,
            read_total: None,
            first_read_done: true,
            last_turn_at: minutes_ago.map(|minutes| now - TimeDelta::minutes(minutes)),
            last_change_at: None,
            due_at: now + TimeDelta::minutes(due_in),
            running: false,
            lag_ms: None,
            error: error.map(str::to_owned),
        }
    }

    fn is_silent(stream: StreamStatus) -> bool {
        !silent(&[stream], DateTime::UNIX_EPOCH).is_empty()
    }

    #[test]
    fn what_rests_is_not_silent_and_what_nobody_takes_or_what_fails_is() {
        assert!(!is_silent(stream(Some(120), 30, None)), "it rests");
        assert!(is_silent(stream(Some(120), -1, None)), "due, and nobody takes it");
        assert!(is_silent(stream(Some(61), 30, Some("mailbox.unreachable"))));
        assert!(!is_silent(stream(Some(30), 30, Some("mailbox.unreachable"))));
        assert!(!is_silent(stream(None, 0, None)), "new");
        assert!(is_silent(stream(None, -61, None)));
        let paused = StreamStatus {
            state: "paused".to_owned(),
            ..stream(Some(120), -60, None)
        };
        assert!(!is_silent(paused));
    }
}
