//! Whose records changed: one question tells it of all users of an org.

use crate::crm_contract::samples::{contact, event, task};
use crate::harness::until;
use crate::salesforce_org::{Org, create, jwt, tasks, watching};
use holdfast::crm::error::CrmError;
use holdfast::crm::model::{CrmCursor, CrmId};
use holdfast::crm::news::CrmNews;
use holdfast::crm::port::Crm as _;
use holdfast::crm::salesforce::{Flow, SalesforceCrm};
use holdfast::foundation::explain::Explain as _;
use holdfast::foundation::secret::Secret;
use holdfast::record::Record;
use holdfast::record::kind::RecordKind;
use holdfast_lab::cast::OutsiderKind;
use holdfast_lab::salesforce::app;
use serde_json::json;
use std::collections::BTreeSet;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(30);

/// A watcher, and what he has been told.
struct Watcher {
    crm: SalesforceCrm,
    cursor: Option<CrmCursor>,
}

impl Watcher {
    /// The org's second person, with these rights.
    fn with(org: &Org, rights: serde_json::Value) -> Self {
        let username = &org.lab.cast.people[1].sf_username;
        org.set(json!({ "users": { username: rights } }));
        let flow = jwt(app::JWT_PRIVATE_KEY_PEM);
        Self {
            crm: watching(&org.lab, app::CLIENT_ID, flow, Some(username.clone())),
            cursor: None,
        }
    }

    async fn who_sees_all(org: &Org) -> Self {
        let mut watcher = Self::with(org, json!({ "view_all": true, "view_setup": true }));
        watcher.quiet().await;
        watcher
    }

    async fn ask(&mut self) -> CrmNews {
        let news = self.crm.news(self.cursor.as_ref()).await.expect("told");
        self.cursor = Some(news.cursor.clone());
        news
    }

    /// Asks until there is nothing new any more.
    async fn quiet(&mut self) {
        until("there is no news", SOON, async || {
            self.ask().await.whose.is_empty().then_some(())
        })
        .await;
    }

    /// What he is told of next.
    async fn told(&mut self) -> BTreeSet<(CrmId, RecordKind)> {
        let told = self.ask().await.whose;
        self.quiet().await;
        told
    }
}

fn of(org: &Org, kind: RecordKind) -> BTreeSet<(CrmId, RecordKind)> {
    BTreeSet::from([(org.user.id.clone().expect("known"), kind)])
}

#[tokio::test]
async fn who_makes_changes_or_deletes_a_record_of_any_kind_is_named() {
    let org = Org::up().await;
    let mut watcher = Watcher::who_sees_all(&org).await;
    for (object, record, field) in [
        ("Event", Record::Event(event()), "Subject"),
        ("Contact", Record::Contact(contact()), "Title"),
        ("Task", Record::Task(task()), "Subject"),
    ] {
        let kind = record.kind();
        let made = org.create(object, record).await.expect("made").id.0;
        assert_eq!(watcher.told().await, of(&org, kind), "made {object}");
        org.change(object, &made, json!({ field: "other" })).await;
        assert_eq!(watcher.told().await, of(&org, kind), "changed {object}");
        org.delete(object, &made).await;
        assert_eq!(watcher.told().await, of(&org, kind), "deleted {object}");
    }
}

#[tokio::test]
async fn a_guest_who_is_invited_is_news_of_the_one_whose_meeting_it_is() {
    let org = Org::up().await;
    let meeting = org
        .create("Event", Record::Event(event()))
        .await
        .expect("made")
        .id
        .0;
    let mut watcher = Watcher::who_sees_all(&org).await;
    let guest = org.known(OutsiderKind::Contact, 1).id.0;
    let row = json!({ "EventId": meeting, "RelationId": guest, "IsInvitee": true });
    org.make("EventRelation", row).await;
    assert_eq!(watcher.told().await, of(&org, RecordKind::Calendar));
}

#[tokio::test]
async fn more_news_than_a_page_is_told_page_by_page_and_all_of_it() {
    let org = Org::up().await;
    let mut watcher = Watcher::who_sees_all(&org).await;
    let made = org.crm.write(&org.user, RecordKind::Tasks, &tasks(2001)).await;
    assert!(made.expect("answered").iter().all(Result::is_ok));
    let last = &org.lab.cast.people[2];
    let owner = json!({ "Subject": "the last", "OwnerId": last.sf_user_id });
    org.make("Task", owner).await;
    let first = watcher.ask().await;
    assert!(first.more);
    assert_eq!(first.whose, of(&org, RecordKind::Tasks));
    let rest = watcher.ask().await;
    assert!(!rest.more);
    let other = (CrmId(last.sf_user_id.clone()), RecordKind::Tasks);
    assert!(rest.whose.contains(&other));
}

#[tokio::test]
async fn an_integration_user_tells_news_without_being_named() {
    let flow = Flow::ClientCredentials {
        secret: Secret::new(app::CLIENT_SECRET.to_owned()),
    };
    let org = Org::with(flow).await;
    let begun = org.crm.news(None).await.expect("told");
    assert!(org.crm.tells_news());
    let written = org.crm.write(&org.user, RecordKind::Tasks, &tasks(1)).await;
    assert!(written.expect("answered")[0].is_ok());
    let news = org.crm.news(Some(&begun.cursor)).await.expect("told");
    assert!(news.whose.is_superset(&of(&org, RecordKind::Tasks)));
}

#[tokio::test]
async fn whoever_does_not_see_every_record_is_no_watcher() {
    let org = Org::up().await;
    for rights in [
        json!({ "view_all": false, "view_setup": true }),
        json!({ "view_all": true, "view_setup": false }),
    ] {
        let watcher = Watcher::with(&org, rights);
        let refused = watcher.crm.news(None).await.expect_err("refused");
        assert!(matches!(refused, CrmError::WatcherBlind));
        assert!(refused.sentence().contains("View All Data"));
    }
}

#[tokio::test]
async fn nobody_tells_news_where_no_watcher_is_named() {
    let org = Org::up().await;
    assert!(!org.crm.tells_news());
}

#[tokio::test]
async fn a_change_that_was_told_of_is_not_told_of_for_ever() {
    let org = Org::up().await;
    let mut watcher = Watcher::who_sees_all(&org).await;
    org.crm
        .write(
            &org.user,
            RecordKind::Tasks,
            &[create("once", Record::Task(task()))],
        )
        .await
        .expect("answered");
    assert!(!watcher.ask().await.whose.is_empty());
    watcher.quiet().await;
    assert!(watcher.ask().await.whose.is_empty());
}
