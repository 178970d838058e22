//! Streaming notifications: one open answer for a group of subscriptions, one subscription for each mailbox.
//!
//! Source: "How to: Stream notifications about mailbox events", "How to: Maintain affinity between a group of
//! subscriptions and the Mailbox server", "Handling notification-related errors in EWS in Exchange".
//!
//! **Affinity.** Subscriptions live in the memory of one back end. The group's anchor, its first mailbox by the
//! alphabet, is named in X-AnchorMailbox of every request; X-PreferServerAffinity and the cookies of the first
//! answer keep the others there.
//!
//! **Recovery.** The server names the subscriptions that it lost. They are made anew, without the old watermark,
//! and their mailboxes are looked at once, since nobody knows what was missed. So are all subscriptions of a
//! stream that broke off: what the server wrote to a dead connection, and may go on writing to it for a while, it
//! does not write again. A group in which one mailbox is lost again and again, while the others are not, goes on
//! without it; so does one in which the others subscribe and it does not answer, as while its database moves.

use super::client::{CallError, Client, Messages, Operation, Route};
use super::cookies::Jar;
use super::folder_map::FolderMap;
use super::wire::frames::Frames;
use super::wire::streaming_events::{self, MAX_SUBSCRIPTIONS, Told};
use super::wire::subscribe;
use crate::foundation::egress::{EgressError, Streamed};
use crate::foundation::explain::Explain as _;
use crate::foundation::failure::Class;
use crate::foundation::ids::MailboxId;
use crate::mailbox::error::MailboxError;
use crate::mailbox::listener::{Ended, Hint, MailboxListener};
use crate::mailbox::model::MailboxRef;
use async_trait::async_trait;
use futures_util::stream::{self, StreamExt as _};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// Subscriptions made at once, so that a group does not take the places of calls that move something.
const AT_ONCE: usize = 4;
/// A group waits so long for the slowest of its mailboxes.
const SUBSCRIBED_WITHIN: Duration = Duration::from_secs(20);
/// So many losses without an hour of peace between, and the mailbox is asked instead for a while.
const STRIKES: u32 = 3;
const PEACE: Duration = Duration::from_secs(3600);
/// While a mailbox is missing from the group, the stream is opened anew this often, to try it again.
const SHORT_MINUTES: u32 = 5;

/// One mailbox that is listened to.
struct Ear {
    subscription: String,
    /// That it is heard was said.
    told: bool,
}

/// An ear, and the mailbox's folders where they were not known yet.
type Found = (Ear, Option<FolderMap>);

/// Why a mailbox is left out, and how often that was so.
struct Strike {
    count: u32,
    last: Instant,
}

/// Listens to one group.
pub struct ExchangeListener {
    client: Arc<Client>,
    route: Route,
    ears: HashMap<MailboxId, Ear>,
    /// Outlive subscriptions.
    folders: HashMap<MailboxId, FolderMap>,
    strikes: HashMap<MailboxId, Strike>,
    /// Lost in the last stream; a strike each, should the others turn out to be there still.
    suspects: Vec<MailboxId>,
    /// True from the begin of a stream until the server itself has ended it.
    in_the_middle: bool,
}

impl ExchangeListener {
    /// Listens to nobody yet.
    pub fn new(client: Arc<Client>) -> Self {
        let route = Route {
            anchor: String::new(),
            jar: Jar::default(),
        };
        Self {
            client,
            route,
            ears: HashMap::new(),
            folders: HashMap::new(),
            strikes: HashMap::new(),
            suspects: Vec::new(),
            in_the_middle: false,
        }
    }

    /// The anchor names the back end: with another one, everything begins anew.
    fn anchor(&mut self, members: &[MailboxRef]) {
        let anchor = members.first().map_or("", |first| first.address.as_str());
        if self.route.anchor != anchor {
            self.begin_anew(anchor.to_owned());
        }
    }

    fn begin_anew(&mut self, anchor: String) {
        self.ears.clear();
        self.suspects.clear();
        self.route = Route {
            anchor,
            jar: Jar::default(),
        };
    }

    /// Subscribes to whom we do not listen yet. A mailbox that cannot be listened to is told and left out.
    async fn subscribe(
        &mut self,
        members: &[MailboxRef],
        hints: &mpsc::Sender<Hint>,
    ) -> Result<(), MailboxError> {
        let now = self.client.clock().instant();
        self.strikes
            .retain(|_, strike| now.saturating_duration_since(strike.last) < PEACE);
        for mailbox in members.iter().filter(|mailbox| self.is_out(mailbox.id)) {
            let _ = hints.send(Hint::Deaf(mailbox.id, "mailbox.passing_fault")).await;
        }
        let mut missing: Vec<MailboxRef> = members
            .iter()
            .filter(|mailbox| !self.ears.contains_key(&mailbox.id) && !self.is_out(mailbox.id))
            .cloned()
            .collect();
        // The first answer brings the cookies that lead the others to the same back end.
        let first = (self.ears.is_empty() && !missing.is_empty()).then(|| missing.remove(0));
        let made = match first {
            Some(first) => vec![self.one(&first).await],
            None => Vec::new(),
        };
        let this = &*self;
        let rest: Vec<_> = stream::iter(missing)
            .map(|mailbox| async move { this.one(&mailbox).await })
            .buffer_unordered(AT_ONCE)
            .collect()
            .await;
        let made: Vec<_> = made.into_iter().chain(rest).collect();
        let answers = !self.ears.is_empty() || made.iter().any(|(_, made)| made.is_ok());
        let mut broken = None;
        for (id, made) in made {
            match made {
                Ok((ear, folders)) => {
                    self.ears.insert(id, ear);
                    self.folders.extend(folders.map(|folders| (id, folders)));
                }
                Err(error) if concerns_all(&error, answers) => broken = Some(error),
                Err(error) => {
                    self.strike(id);
                    let _ = hints.send(Hint::Deaf(id, error.code())).await;
                }
            }
        }
        broken.map_or(Ok(()), Err)
    }

    async fn one(&self, mailbox: &MailboxRef) -> (MailboxId, Result<Found, MailboxError>) {
        let within = self.client.piece_within().min(SUBSCRIBED_WITHIN);
        let made = match tokio::time::timeout(within, self.ear(mailbox)).await {
            Ok(ear) => ear.map_err(MailboxError::from),
            Err(_) => Err(MailboxError::Unreachable(Box::new(EgressError::TimedOut {
                what: "subscribing",
            }))),
        };
        (mailbox.id, made)
    }

    async fn ear(&self, mailbox: &MailboxRef) -> Result<Found, CallError> {
        let operation = Operation {
            name: "Subscribe",
            // A second subscription is forgotten by itself.
            repeatable: true,
        };
        let answer: Messages<String> = self
            .client
            .call_by(
                Some(&self.route),
                mailbox,
                operation,
                |w, _| subscribe::request(w),
                subscribe::read,
            )
            .await?;
        let subscription = answer.into_iter().next().ok_or(NO_MESSAGES)?;
        let subscription = subscription.map_err(CallError::Fault)?;
        let folders = match self.folders.contains_key(&mailbox.id) {
            true => None,
            false => Some(FolderMap::ask(&self.client, &self.route, mailbox).await?),
        };
        let ear = Ear {
            subscription,
            told: false,
        };
        Ok((ear, folders))
    }

    fn is_out(&self, mailbox: MailboxId) -> bool {
        self.strikes
            .get(&mailbox)
            .is_some_and(|strike| strike.count >= STRIKES)
    }

    fn strike(&mut self, mailbox: MailboxId) {
        let last = self.client.clock().instant();
        let strike = self.strikes.entry(mailbox).or_insert(Strike { count: 0, last });
        strike.count += 1;
        strike.last = last;
    }

    /// One connection.
    async fn once(
        &mut self,
        mailboxes: &[MailboxRef],
        hints: &mpsc::Sender<Hint>,
    ) -> Result<Ended, MailboxError> {
        let mut members = mailboxes.to_vec();
        members.sort_by_cached_key(|mailbox| mailbox.address.to_lowercase());
        members.truncate(MAX_SUBSCRIPTIONS);
        self.anchor(&members);
        let wanted: HashSet<MailboxId> = members.iter().map(|mailbox| mailbox.id).collect();
        // Whose folders were chosen anew is heard anew.
        let is_of = |id: &MailboxId, map: &FolderMap| {
            let mut same = members.iter().filter(|mailbox| mailbox.id == *id);
            same.any(|mailbox| map.is_of(mailbox))
        };
        self.folders.retain(|id, map| is_of(id, map));
        let known = &self.folders;
        self.ears
            .retain(|id, _| wanted.contains(id) && known.contains_key(id));
        self.subscribe(&members, hints).await?;
        // The stream acts in a mailbox of the group that no other stream acts in: each may have a few only.
        let Some(acting) = members.iter().find(|mailbox| self.ears.contains_key(&mailbox.id)) else {
            return Ok(Ended::Nobody);
        };
        let minutes = match self.ears.len() == members.len() {
            true => self.client.stream_minutes(),
            false => self.client.stream_minutes().min(SHORT_MINUTES),
        };
        let subscriptions: Vec<&str> = self.ears.values().map(|ear| ear.subscription.as_str()).collect();
        let open = self
            .client
            .open(&self.route, acting, |w| {
                streaming_events::request(w, subscriptions.iter().copied(), minutes);
            })
            .await;
        match open {
            Ok(open) => self.hear(open, hints).await,
            Err(CallError::Fault(fault)) if loses_subscriptions(&fault.code) => {
                self.lose(&[]);
                Ok(Ended::LostSome)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Takes envelopes until the stream ends.
    async fn hear(&mut self, mut open: Streamed, hints: &mpsc::Sender<Hint>) -> Result<Ended, MailboxError> {
        self.in_the_middle = true;
        let silence = self.client.silence();
        let mut frames = Frames::default();
        loop {
            let piece = match open.piece(silence).await {
                Ok(Some(piece)) => piece,
                Ok(None) => return Ok(Ended::Closed),
                Err(error) => {
                    tracing::debug!(%error, "a notification stream broke off");
                    return Ok(Ended::Closed);
                }
            };
            if frames.add(&piece).is_err() {
                self.ears.clear();
                return Ok(Ended::LostSome);
            }
            while let Some(envelope) = frames.take() {
                let told = streaming_events::read(&envelope).map_err(CallError::Damaged)?;
                if let Some(ended) = self.take_in(told, hints).await? {
                    return Ok(ended);
                }
            }
        }
    }

    async fn take_in(
        &mut self,
        told: Told,
        hints: &mpsc::Sender<Hint>,
    ) -> Result<Option<Ended>, MailboxError> {
        if told.fault.is_none() {
            for suspect in std::mem::take(&mut self.suspects) {
                self.strike(suspect);
            }
            self.tell_who_is_heard(hints).await;
        }
        self.in_the_middle &= !told.closed && told.fault.is_none();
        let by_subscription: BTreeMap<&str, MailboxId> = self
            .ears
            .iter()
            .map(|(id, ear)| (ear.subscription.as_str(), *id))
            .collect();
        let mut news = HashSet::new();
        for (subscription, folder) in &told.touched {
            let mailbox = by_subscription.get(subscription.as_str());
            let map = mailbox.and_then(|id| Some((*id, self.folders.get(id)?)));
            news.extend(map.into_iter().flat_map(|(id, map)| {
                let streams = map.streams_of(folder).into_iter();
                streams.map(move |kind| (id, kind))
            }));
        }
        for (mailbox, kind) in news {
            if hints.send(Hint::News(mailbox, kind)).await.is_err() {
                return Ok(Some(Ended::Closed));
            }
        }
        let Some(fault) = told.fault else {
            return Ok(told.closed.then_some(Ended::Closed));
        };
        tracing::debug!(
            code = fault.code,
            lost = told.lost.len(),
            "a notification stream cannot go on"
        );
        let lost: Vec<MailboxId> = told
            .lost
            .iter()
            .filter_map(|id| by_subscription.get(id.as_str()).copied())
            .collect();
        if loses_subscriptions(&fault.code) || !lost.is_empty() {
            self.lose(&lost);
            return Ok(Some(Ended::LostSome));
        }
        Err(fault.into())
    }

    /// Forgets the subscriptions that the server lost; all of them, where it names none that we know.
    fn lose(&mut self, lost: &[MailboxId]) {
        match lost {
            [] => self.begin_anew(self.route.anchor.clone()),
            lost => {
                self.ears.retain(|id, _| !lost.contains(id));
                // Losses one after the other are the server's doing, not a mailbox's.
                match self.suspects.is_empty() {
                    true => self.suspects.extend(lost),
                    false => self.suspects.clear(),
                }
                if self.ears.is_empty() {
                    self.begin_anew(self.route.anchor.clone());
                }
            }
        }
    }

    async fn tell_who_is_heard(&mut self, hints: &mpsc::Sender<Hint>) {
        for (id, ear) in self.ears.iter_mut().filter(|(_, ear)| !ear.told) {
            ear.told = hints.send(Hint::Heard(*id)).await.is_ok();
        }
    }
}

#[async_trait]
impl MailboxListener for ExchangeListener {
    async fn listen(
        &mut self,
        mailboxes: &[MailboxRef],
        hints: &mpsc::Sender<Hint>,
    ) -> Result<Ended, MailboxError> {
        if std::mem::take(&mut self.in_the_middle) {
            self.ears.clear();
        }
        let listened = self.once(mailboxes, hints).await;
        if listened.is_err() {
            // The mailboxes are asked meanwhile; that they are heard again must be said again.
            self.ears.values_mut().for_each(|ear| ear.told = false);
        }
        listened
    }
}

const NO_MESSAGES: MailboxError = MailboxError::Unintelligible {
    what: "an answer without messages",
};

/// True where no other mailbox of the group would fare better now; `answers` says that the server answered for one.
fn concerns_all(error: &MailboxError, answers: bool) -> bool {
    match error {
        MailboxError::OutsideScope | MailboxError::NoSuchMailbox => false,
        MailboxError::Unreachable(_) | MailboxError::Unintelligible { .. } => !answers,
        error => matches!(
            error.class(),
            Class::Throttled { .. } | Class::SignInExpired | Class::Broken
        ),
    }
}

/// Codes after which a new subscription is the way on ("Handling notification-related errors").
fn loses_subscriptions(code: &str) -> bool {
    matches!(
        code,
        "ErrorSubscriptionNotFound"
            | "ErrorInvalidSubscription"
            | "ErrorExpiredSubscription"
            | "ErrorReadEventsFailed"
            | "ErrorMissedNotificationEvents"
            | "ErrorInvalidWatermark"
            | "ErrorProxyRequestNotAllowed"
            | "ErrorSubscriptionUnsubscribed"
            | "ErrorNoSubscriptions"
            | "ErrorMailboxMoveInProgress"
            | "ErrorMailboxFailover"
    )
}
