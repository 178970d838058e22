//! What destroyed trust: deletions, silence, delay, limits, lost words and lost ids: the complaints 4, 5, 12, 13, 15,
//! 17 and 20.

use super::{assert_nobody_noticed, items, records};
use crate::harness::acts::{made_by_owner, made_by_user, task};
use crate::harness::office::subject;
use crate::harness::outlook::{Outlook, item};
use crate::harness::pages::Stage;
use crate::harness::{Node, Office, began, until};
use crate::notifications::{arrives_in_the_crm, at_rest, hardly_asks, in_outlook, stream_states};
use chrono::TimeDelta;
use holdfast::crm::model::CrmWrite;
use holdfast::record::Record;
use holdfast::record::event::Event;
use holdfast::record::field::{Field, FieldSet};
use holdfast::record::kind::RecordKind;
use holdfast::sync::budget::purse::Purse;
use holdfast::sync::pace::Pace;
use holdfast::sync::store::mailboxes;
use holdfast_lab::faults::{Fault, Rule};
use std::sync::Arc;
use std::time::Duration;

const TASKS: RecordKind = RecordKind::Tasks;

/// So many tasks of the first person's, on both sides.
async fn with_tasks<S: Stage>(count: usize) -> (Office, mailboxes::MailboxRow) {
    let office = S::open(2, 0).await;
    let row = office.add(0).await;
    for number in 0..count {
        office
            .in_mailbox(&row, TASKS, made_by_owner(task(&format!("Task {number}"))))
            .await;
    }
    office.settle(&row).await;
    (office, row)
}

pub async fn complaint_04_meetings_were_cancelled_because_a_user_lost_sight_of_them<S: Stage>() {
    let office = S::open(2, 0).await;
    let row = office.add(0).await;
    let outlook = Outlook::of(&office.lab, 0);
    let guest = "<t:RequiredAttendees><t:Attendee><t:Mailbox><t:EmailAddress>guest@outside.example</t:EmailAddress>\
                 </t:Mailbox></t:Attendee></t:RequiredAttendees>";
    outlook
        .create("Signing", began() + TimeDelta::days(4), 60, guest)
        .await;
    office.settle(&row).await;
    let record = records(
        &office,
        std::slice::from_ref(&row),
        RecordKind::Calendar,
        "Signing",
    )
    .await
    .remove(0);
    office.pages.keep_apart().await;
    let user = &row.user;
    office
        .pages
        .hand_over(user, RecordKind::Calendar, &record.id, 1)
        .await;
    for _ in 0..3 {
        office.sync(&row).await;
    }
    assert_eq!(items(&office, &row, RecordKind::Calendar, "Signing").await, 1);
    assert_nobody_noticed(&office).await;
}

pub async fn complaint_05_new_territories_looked_like_a_mass_deletion<S: Stage>() {
    let (office, row) = with_tasks::<S>(30).await;
    for record in office.records(&row, TASKS).await {
        office.pages.hand_over(&row.user, TASKS, &record.id, 1).await;
    }
    for _ in 0..3 {
        office.sync(&row).await;
    }
    // Odoo has a task of its own for whoever is new.
    let items = office.items(&row, TASKS).await;
    let ours = items
        .iter()
        .filter(|item| subject(&item.record).starts_with("Task "));
    assert_eq!(ours.count(), 30);
    assert_nobody_noticed(&office).await;
}

pub async fn complaint_12_changes_arrived_hours_late<S: Stage>() {
    let office = S::open(1, 0).await;
    let row = office.add(0).await;
    let _node = Node::start(&hardly_asks(&office.engine));
    at_rest(&office, &[&row]).await;
    in_outlook(&office, &row, "Now").await;
    arrives_in_the_crm(&office, &row, "Now").await;
}

pub async fn complaint_13_a_stream_stopped_in_silence_and_stayed_so<S: Stage>() {
    let office = S::open(1, 0).await;
    let row = office.add(0).await;
    office.lab.parts.faults.add(Rule {
        side: holdfast_lab::faults::Side::Exchange,
        operation: None,
        mailbox: None,
        fault: Fault::Html { status: 200 },
        times: None,
        skip: 0,
        probability: None,
        seed: 1,
    });
    let mut engine = office.engine.clone();
    engine.settings.patience.first = TimeDelta::milliseconds(200);
    engine.settings.patience.last = TimeDelta::seconds(1);
    let second = TimeDelta::seconds(1);
    engine.settings.pace = Pace {
        busy: second,
        quiet: second,
        listening: second,
    };
    let _node = Node::start(&engine);
    is_told(&office).await;
    office.lab.parts.faults.clear();
    in_outlook(&office, &row, "Afterwards").await;
    arrives_in_the_crm(&office, &row, "Afterwards").await;
    is_well(&office).await;
    // The other side is no better.
    office.pages.breaks().await;
    is_told(&office).await;
    office.pages.mends().await;
    // Whom the CRM refused as a person waits for an hour, or for the operator.
    let now = office.engine.clock.now();
    office
        .engine
        .db
        .run(move |conn| mailboxes::resume_refused(conn, now))
        .await
        .unwrap();
    in_outlook(&office, &row, "Later").await;
    arrives_in_the_crm(&office, &row, "Later").await;
    is_well(&office).await;
}

async fn is_told(office: &Office) {
    until("the trouble is told", Duration::from_secs(30), async || {
        let states = stream_states(office).await;
        states.iter().any(|state| state.error.is_some()).then_some(())
    })
    .await;
}

async fn is_well(office: &Office) {
    until("all is well again", Duration::from_secs(30), async || {
        let states = stream_states(office).await;
        states.iter().all(|state| state.error.is_none()).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn complaint_15_the_crms_calls_were_used_up_and_everybody_else_was_blocked() {
    const ALLOTTED: u64 = 12;
    let office = Office::open(1, 60).await;
    let row = office.add(0).await;
    let purse = Arc::new(Purse::new(0));
    let engine = office.governed_engine(Arc::clone(&purse));
    purse.put(ALLOTTED, Some((0, 1_000)));
    let before = office.crm_calls();
    let waited = office.try_sync_by(&engine, &row).await;
    assert!(waited.iter().any(|(_, result)| result.is_err()), "{waited:?}");
    // Signing in is not counted by the vendor.
    assert!(
        office.crm_calls() - before <= ALLOTTED + 2,
        "{}",
        office.crm_calls() - before
    );
    purse.put(10_000, Some((0, 100_000)));
    for (kind, result) in office.try_sync_by(&engine, &row).await {
        result.unwrap_or_else(|error| panic!("{kind:?}: {error:?}"));
    }
}

pub async fn complaint_17_formatting_and_the_other_sides_words_were_lost<S: Stage>() {
    let office = S::open(1, 0).await;
    let row = office.add(0).await;
    let outlook = Outlook::of(&office.lab, 0);
    let head = "<t:Subject>Plan</t:Subject><t:Body BodyType=\"HTML\">&lt;p&gt;Bring the &lt;b&gt;bold&lt;/b&gt; \
                one&lt;/p&gt;</t:Body>";
    let id = outlook
        .create_as(head, began() + TimeDelta::days(4), 60, "")
        .await;
    office.settle(&row).await;
    let record = records(&office, std::slice::from_ref(&row), RecordKind::Calendar, "Plan")
        .await
        .remove(0);
    let Record::Event(event) = record.record else {
        panic!("an event")
    };
    assert!(event.body.expose().contains("Bring the bold one"));
    // One side edits the place while the other edits the title.
    let write = CrmWrite::Update {
        id: record.id,
        fields: FieldSet::of(&[Field::Location]),
        record: Record::Event(Event {
            location: "Hall 2".into(),
            ..event
        }),
        matches: Vec::new(),
    };
    office.in_crm(&row, RecordKind::Calendar, write).await;
    outlook
        .set(
            &item(&id),
            &[("item:Subject", "<t:Subject>The plan</t:Subject>".to_owned())],
        )
        .await;
    office.settle(&row).await;
    let now = outlook
        .ask(&format!(
            "<m:GetItem><m:ItemShape><t:BaseShape>AllProperties</t:BaseShape><t:BodyType>HTML</t:BodyType></m:ItemShape>\
             <m:ItemIds>{}</m:ItemIds></m:GetItem>",
            item(&id)
        ))
        .await;
    assert!(now.contains("Hall 2") && now.contains("&lt;b&gt;bold"), "{now}");
    let rows = [row];
    let record = records(&office, &rows, RecordKind::Calendar, "The plan")
        .await
        .remove(0);
    let Record::Event(event) = record.record else {
        panic!("an event")
    };
    assert_eq!(event.location.expose(), "Hall 2");
    assert!(event.body.expose().contains("Bring the bold one"));
    assert_nobody_noticed(&office).await;
}

pub async fn complaint_20_a_moved_mailbox_doubled_or_lost_what_was_linked<S: Stage>() {
    let office = S::open(1, 0).await;
    let row = office.add(0).await;
    let outlook = Outlook::of(&office.lab, 0);
    outlook.create("Ours", began() + TimeDelta::days(4), 60, "").await;
    office
        .in_crm(&row, TASKS, made_by_user("theirs", task("Theirs")))
        .await;
    office.settle(&row).await;
    // All that is in it is thrown away and taken back: every id that the mailbox gave out is another one now.
    for (kind, home) in [(RecordKind::Calendar, "calendar"), (TASKS, "tasks")] {
        for one in office.items(&row, kind).await {
            outlook
                .ask(&format!(
                    "<m:DeleteItem DeleteType=\"MoveToDeletedItems\" SendMeetingCancellations=\"SendToNone\" \
                     AffectedTaskOccurrences=\"AllOccurrences\"><m:ItemIds>{}</m:ItemIds></m:DeleteItem>",
                    item(&one.item.id.0)
                ))
                .await;
            let bin = outlook
                .ask(
                    "<m:FindItem Traversal=\"Shallow\"><m:ItemShape><t:BaseShape>IdOnly</t:BaseShape></m:ItemShape>\
                     <m:ParentFolderIds><t:DistinguishedFolderId Id=\"deleteditems\"/></m:ParentFolderIds></m:FindItem>",
                )
                .await;
            let (_, id) = bin.split_once("<t:ItemId Id=\"").unwrap();
            let thrown_away = item(id.split('"').next().unwrap());
            outlook
                .ask(&format!(
                    "<m:MoveItem><m:ToFolderId><t:DistinguishedFolderId Id=\"{home}\"/></m:ToFolderId>\
                     <m:ItemIds>{thrown_away}</m:ItemIds></m:MoveItem>"
                ))
                .await;
        }
    }
    office.settle(&row).await;
    let rows = [row];
    for (kind, title) in [(RecordKind::Calendar, "Ours"), (TASKS, "Theirs")] {
        assert_eq!(
            items(&office, &rows[0], kind, title).await,
            1,
            "{title} in the mailbox"
        );
        assert_eq!(
            records(&office, &rows, kind, title).await.len(),
            1,
            "{title} in the CRM"
        );
    }
    assert_nobody_noticed(&office).await;
}
