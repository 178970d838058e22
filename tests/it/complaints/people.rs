//! Doubles, and what goes wrong with people: the complaints 2, 3, 14, 16, 18 and 19.

use super::{assert_nobody_noticed, items, records};
use crate::harness::acts::{event, made_by_owner, task};
use crate::harness::began;
use crate::harness::letters::Letter;
use crate::harness::outlook::{Outlook, item};
use crate::harness::pages::Stage;
use chrono::{TimeDelta, Timelike as _};
use holdfast::attachments::model::LeftOut;
use holdfast::crm::model::CrmWrite;
use holdfast::record::Record;
use holdfast::record::contact::Contact;
use holdfast::record::event::{Event, Sensitivity, When};
use holdfast::record::field::{Field, FieldSet};
use holdfast::record::kind::RecordKind;
use holdfast::record::task::Task;
use holdfast::sync::engine::Connections as _;
use holdfast::sync::explain::explain;
use holdfast::sync::policy::Policy;
use holdfast::sync::store::totals;

fn meeting(title: &str) -> Event {
    let start = (began() + TimeDelta::days(3)).with_second(0).unwrap();
    let end = start + TimeDelta::minutes(45);
    event(title, When::Timed { start, end })
}

fn card(change: impl FnOnce(&mut Contact)) -> Record {
    let mut card = Contact {
        given_name: "Ada".into(),
        family_name: "Lovelace".into(),
        ..Contact::default()
    };
    change(&mut card);
    Record::Contact(card)
}

pub async fn complaint_02_going_live_doubled_every_meeting_and_task<S: Stage>() {
    let office = S::open(1, 0).await;
    let row = office.add(0).await;
    let due = Some((began() + TimeDelta::days(2)).date_naive());
    let call = Record::Task(Task {
        subject: "Call".into(),
        due,
        ..Task::default()
    });
    for record in [Record::Event(meeting("Review")), call] {
        let kind = record.kind();
        office.pages.was_there(&row.user, record.clone()).await;
        office.in_mailbox(&row, kind, made_by_owner(record)).await;
    }
    let first = office.sync(&row).await;
    for (kind, title) in [(RecordKind::Calendar, "Review"), (RecordKind::Tasks, "Call")] {
        assert_eq!(first[&kind].matched, 1, "{kind:?}: {first:?}");
        assert_eq!(items(&office, &row, kind, title).await, 1);
        assert_eq!(
            records(&office, std::slice::from_ref(&row), kind, title)
                .await
                .len(),
            1
        );
    }
    office.settle(&row).await;
    assert_nobody_noticed(&office).await;
}

pub async fn complaint_02_a_series_that_was_carried_date_by_date_before_is_not_doubled<S: Stage>() {
    let office = S::open(1, 0).await;
    let row = office.add(0).await;
    let Event { when, .. } = meeting("Stand-up");
    let When::Timed { start, .. } = when else {
        panic!("a timed event")
    };
    for day in 0..3 {
        let moved = |at| at + TimeDelta::days(day);
        let date = Event {
            when: When::Timed {
                start: moved(start),
                end: moved(start + TimeDelta::minutes(45)),
            },
            ..meeting("Stand-up")
        };
        office.pages.was_there(&row.user, Record::Event(date)).await;
    }
    let rule = format!(
        "<t:Recurrence><t:DailyRecurrence><t:Interval>1</t:Interval></t:DailyRecurrence><t:NumberedRecurrence>\
         <t:StartDate>{}</t:StartDate><t:NumberOfOccurrences>3</t:NumberOfOccurrences></t:NumberedRecurrence>\
         </t:Recurrence>",
        start.date_naive()
    );
    Outlook::of(&office.lab, 0)
        .create("Stand-up", start, 45, &rule)
        .await;
    let first = office.sync(&row).await;
    assert_eq!(first[&RecordKind::Calendar].matched, 3, "{first:?}");
    let rows = [row];
    assert_eq!(
        records(&office, &rows, RecordKind::Calendar, "Stand-up")
            .await
            .len(),
        3
    );
    office.settle(&rows[0]).await;
    assert_nobody_noticed(&office).await;
}

pub async fn complaint_03_the_first_synchronisation_doubled_the_contacts<S: Stage>() {
    let office = S::open(1, 0).await;
    let row = office.add(0).await;
    let crm = office.hands.crm("main").unwrap();
    let held = crm.capabilities(&row.user).await.unwrap();
    let has_mobile = held.readable(RecordKind::Contacts).has(Field::MobilePhone);
    let phone = |card: &mut Contact| match has_mobile {
        true => card.mobile_phone = "+1 212 555 0100".into(),
        false => card.business_phone = "+1 212 555 0100".into(),
    };
    let pairs = [
        (
            card(|ada| ada.email = "ada@elsewhere.example".into()),
            card(|ada| ada.email = "Ada@Elsewhere.example".into()),
        ),
        (
            card(|ada| {
                ada.given_name = "Grace".into();
                phone(ada);
            }),
            card(|ada| (ada.given_name, ada.business_phone) = ("Grace".into(), "+1 (212) 555-0100".into())),
        ),
    ];
    for (in_crm, in_mailbox) in pairs {
        office.pages.was_there(&row.user, in_crm).await;
        office
            .in_mailbox(&row, RecordKind::Contacts, made_by_owner(in_mailbox))
            .await;
    }
    let before = office.records(&row, RecordKind::Contacts).await.len();
    let first = office.sync(&row).await;
    assert_eq!(first[&RecordKind::Contacts].matched, 2, "{first:?}");
    office.settle(&row).await;
    assert_eq!(office.records(&row, RecordKind::Contacts).await.len(), before);
    assert_eq!(office.items(&row, RecordKind::Contacts).await.len(), before);
    assert_nobody_noticed(&office).await;
}

pub async fn complaint_14_some_mails_never_arrived_and_nobody_could_say_why<S: Stage>() {
    let office = S::open(2, 60).await;
    let row = office.add(0).await;
    office.settle(&row).await;
    let now = office.engine.clock.now();
    let streams = office
        .engine
        .db
        .run(move |conn| totals::streams(conn, now))
        .await
        .unwrap();
    let mail = streams
        .iter()
        .find(|stream| stream.kind == RecordKind::Mail)
        .unwrap();
    let all = office.items(&row, RecordKind::Mail).await.len();
    assert!(mail.linked > 0 && mail.skipped > 0, "{mail:?}");
    assert_eq!(
        usize::try_from(mail.linked + mail.skipped + mail.failed).unwrap(),
        all,
        "{mail:?}"
    );
}

pub async fn complaint_16_attachments_were_dropped_without_a_word<S: Stage>() {
    let office = S::open(1, 0).await;
    let mut policy = Policy::default();
    policy.attachments.of = vec![RecordKind::Mail];
    office.policy("files", policy).await;
    let row = office.add_with(0, "files").await;
    let part = |name: &str| {
        format!(
            "--b\r\nContent-Type: application/octet-stream; name=\"{name}\"\r\nContent-Disposition: attachment; \
             filename=\"{name}\"\r\n\r\n{name}\r\n"
        )
    };
    let body = format!(
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nhere\r\n{}{}{}--b--\r\n",
        part("one.txt"),
        part("two.pdf"),
        part("three.exe")
    );
    let item = Letter::from(&office.pages.customer(), &row.mailbox.address)
        .body(&body)
        .arrive(&office, &row);
    office.settle(&row).await;
    let mut names = office.pages.files().await;
    names.sort();
    assert_eq!(names, ["one.txt", "two.pdf"]);
    // And what is left behind is said.
    let said = explain(&office.engine, &row, &item).await.unwrap().unwrap();
    let left_out = format!("Attachments: 1. {}", LeftOut::TypeBlocked.sentence());
    assert!(said.notes.contains(&left_out), "{:?}", said.notes);
    assert_nobody_noticed(&office).await;
}

pub async fn complaint_18_attendees_whom_the_crm_does_not_know_vanished<S: Stage>() {
    let office = S::open(1, 0).await;
    let row = office.add(0).await;
    office.settle(&row).await;
    let outlook = Outlook::of(&office.lab, 0);
    let guest = "<t:RequiredAttendees><t:Attendee><t:Mailbox><t:EmailAddress>stranger@outside.example\
                 </t:EmailAddress></t:Mailbox></t:Attendee></t:RequiredAttendees>";
    let start = began() + TimeDelta::days(3);
    let id = outlook.create("Hearing", start, 60, guest).await;
    office.sync(&row).await;
    let rows = [row];
    let record = records(&office, &rows, RecordKind::Calendar, "Hearing")
        .await
        .remove(0);
    let Record::Event(event) = record.record else {
        panic!("an event")
    };
    let write = CrmWrite::Update {
        id: record.id,
        fields: FieldSet::of(&[Field::Location]),
        record: Record::Event(Event {
            location: "Court 4".into(),
            ..event
        }),
        matches: Vec::new(),
    };
    office.in_crm(&rows[0], RecordKind::Calendar, write).await;
    office.settle(&rows[0]).await;
    let now = outlook
        .ask(&format!(
            "<m:GetItem><m:ItemShape><t:BaseShape>AllProperties</t:BaseShape></m:ItemShape><m:ItemIds>{}</m:ItemIds>\
             </m:GetItem>",
            item(&id)
        ))
        .await;
    assert!(
        now.contains("Court 4") && now.contains("stranger@outside.example"),
        "{now}"
    );
    assert_nobody_noticed(&office).await;
}

pub async fn complaint_19_private_things_and_strangers_mail_were_captured<S: Stage>() {
    let office = S::open(1, 0).await;
    let row = office.add(0).await;
    let private = Event {
        sensitivity: Sensitivity::Private,
        ..meeting("Doctor")
    };
    office
        .in_mailbox(&row, RecordKind::Calendar, made_by_owner(Record::Event(private)))
        .await;
    office
        .in_mailbox(&row, RecordKind::Tasks, made_by_owner(task("Shared")))
        .await;
    let own = row.mailbox.address.clone();
    let customer = office.pages.customer();
    Letter::from("nobody@nowhere.example", &own).arrive(&office, &row);
    Letter::from(&customer, &own)
        .number(2)
        .head("Sensitivity: Private")
        .arrive(&office, &row);
    Letter::from(&customer, &own).number(3).arrive(&office, &row);
    office.settle(&row).await;
    assert_eq!(office.pages.mails().await, ["Letter 3"]);
    let rows = [row];
    assert!(
        records(&office, &rows, RecordKind::Calendar, "Doctor")
            .await
            .is_empty()
    );
    assert!(!office.pages.holds("Doctor").await);
    assert_eq!(
        records(&office, &rows, RecordKind::Tasks, "Shared").await.len(),
        1
    );
}
