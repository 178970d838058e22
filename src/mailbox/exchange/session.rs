//! What the connector remembers of a mailbox between two calls, in memory only: cookies that keep it on one
//! back end, how long Exchange wants to be left alone, its schema version, its folders.

use super::cookies::Jar;
use super::known_folders::KnownFolders;
use super::members::Members;
use super::valve::Valve;
use super::wire::version::Version;
use crate::foundation::clock::Clock;
use crate::foundation::content::Content;
use crate::foundation::ids::MailboxId;
use crate::mailbox::model::MailboxRef;
use crate::record::kind::RecordKind;
use chrono_tz::Tz;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Requests under way at once in one mailbox: Exchange's budget is per mailbox, and one stream waits for
/// each of its answers.
const PER_MAILBOX: usize = 3;

/// Distribution lists that are remembered of one mailbox's meetings.
const MOST_LISTS: usize = 100;

/// The sessions of all mailboxes.
pub struct Sessions {
    clock: Clock,
    all: Mutex<HashMap<MailboxId, Arc<Session>>>,
}

impl Sessions {
    /// None yet.
    pub fn new(clock: Clock) -> Self {
        Self {
            clock,
            all: Mutex::default(),
        }
    }

    /// The session of a mailbox; the first call makes it.
    pub fn of(&self, mailbox: &MailboxRef) -> Arc<Session> {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || {
            Arc::new(Session {
                valve: Valve::new(PER_MAILBOX),
                mailbox: mailbox.id,
                clock: self.clock.clone(),
                jar: Jar::default(),
                state: Mutex::default(),
            })
        };
        Arc::clone(all.entry(mailbox.id).or_insert_with(new))
    }
}

/// One mailbox's session.
pub struct Session {
    /// One place a request.
    pub valve: Valve,
    mailbox: MailboxId,
    clock: Clock,
    jar: Jar,
    state: Mutex<State>,
}

/// What a folder of the mail stream says of the mail in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MailFolder {
    /// True for the sent items and what is below them.
    pub sent: bool,
    /// True for a folder for mail that is to be saved, received or sent.
    pub dropped: bool,
}

#[derive(Default)]
struct State {
    busy_until: Option<Instant>,
    version: Option<Version>,
    mail_folders: Option<Arc<HashMap<String, MailFolder>>>,
    chosen_folders: HashMap<RecordKind, Arc<KnownFolders>>,
    swept: HashMap<RecordKind, Instant>,
    home_zone: Option<Option<Tz>>,
    members: HashMap<Content<String>, (Instant, Arc<Members>)>,
}

impl Session {
    /// How long Exchange still wants this mailbox to be left alone.
    pub fn must_wait(&self) -> Option<Duration> {
        let until = self.state().busy_until?;
        until
            .checked_duration_since(self.clock.instant())
            .filter(|wait| !wait.is_zero())
    }

    /// Exchange asked for patience.
    pub fn leave_alone(&self, wait: Duration) {
        let until = self.clock.instant().checked_add(wait);
        let mut state = self.state();
        state.busy_until = state.busy_until.max(until);
    }

    /// The cookies that keep this mailbox on one back end.
    pub fn jar(&self) -> &Jar {
        &self.jar
    }

    /// The schema version of this mailbox, where it differs from its server's.
    pub fn version(&self) -> Option<Version> {
        self.state().version
    }

    /// The mailbox does not speak its server's version.
    pub fn set_version(&self, version: Version) {
        self.state().version = Some(version);
    }

    /// The mail stream's folders by identifier.
    pub fn mail_folders(&self) -> Option<Arc<HashMap<String, MailFolder>>> {
        self.state().mail_folders.clone()
    }

    /// Remembers the mail stream's folders.
    pub fn set_mail_folders(&self, folders: HashMap<String, MailFolder>) {
        self.state().mail_folders = Some(Arc::new(folders));
    }

    /// What is known of the folders of another stream.
    pub fn chosen_folders(&self, kind: RecordKind) -> Option<Arc<KnownFolders>> {
        self.state().chosen_folders.get(&kind).cloned()
    }

    /// Remembers the folders of another stream.
    pub fn set_chosen_folders(&self, kind: RecordKind, folders: KnownFolders) {
        self.state().chosen_folders.insert(kind, Arc::new(folders));
    }

    /// The owner's zone: `None` where nobody has looked yet, `Some(None)` where the calendar does not say.
    pub fn home_zone(&self) -> Option<Option<Tz>> {
        self.state().home_zone
    }

    /// Remembers what the calendar says.
    pub fn set_home_zone(&self, zone: Option<Tz>) {
        self.state().home_zone = Some(zone);
    }

    /// Who is behind a distribution list, where that was asked within this time.
    pub fn members(&self, list: &Content<String>, within: Duration) -> Option<Arc<Members>> {
        let now = self.clock.instant();
        let state = self.state();
        let (asked, members) = state.members.get(list)?;
        (now.saturating_duration_since(*asked) < within).then(|| Arc::clone(members))
    }

    /// Remembers who is behind a list, and forgets the others where they are too many.
    pub fn set_members(&self, list: Content<String>, members: Arc<Members>) {
        let now = self.clock.instant();
        let mut state = self.state();
        if state.members.len() >= MOST_LISTS {
            state.members.clear();
        }
        state.members.insert(list, (now, members));
    }

    /// True once in a while: then every folder of a stream is looked into, whatever its mark says. The mailboxes of
    /// a process that starts are spread over the time between two sweeps.
    pub fn sweep_is_due(&self, kind: RecordKind, every: Duration) -> bool {
        let now = self.clock.instant();
        let mut state = self.state();
        let first = self.first_sweep(now, every);
        let swept = state.swept.entry(kind).or_insert(first);
        let due = now.saturating_duration_since(*swept) >= every;
        if due {
            *swept = now;
        }
        due
    }

    /// When the sweep before the first one would have been.
    fn first_sweep(&self, now: Instant, every: Duration) -> Instant {
        let spread = u64::from(self.mailbox.0.unsigned_abs()) % every.as_secs().max(1);
        now.checked_sub(Duration::from_secs(spread)).unwrap_or(now)
    }

    /// No code panics while it holds the lock, so a poisoned one holds a good state all the same.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mailbox_is_left_alone_as_long_as_exchange_asked_and_no_longer() {
        let clock = Clock::manual(chrono::DateTime::UNIX_EPOCH);
        let sessions = Sessions::new(clock.clone());
        let session = sessions.of(&MailboxRef::new(MailboxId(1), "a@example.com"));
        session.leave_alone(Duration::from_secs(30));
        session.leave_alone(Duration::from_secs(5));
        clock.advance(Duration::from_secs(10));
        assert_eq!(session.must_wait(), Some(Duration::from_secs(20)));
        clock.advance(Duration::from_secs(20));
        assert_eq!(session.must_wait(), None);
    }
}
