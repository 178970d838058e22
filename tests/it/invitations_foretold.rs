//! Who would be mailed of a meeting is said before a turn, and then it happens so.

use crate::guests::outsiders;
use crate::harness::acts::made_by_user;
use crate::harness::{Office, Site};
use crate::invitations::{CALENDAR, edit, id, inviting, known, made, meeting, new, office, told};
use crate::preview::as_foretold;
use holdfast::crm::model::{CrmUser, CrmWrite};
use holdfast::crm::port::Crm as _;
use holdfast::foundation::egress::MemoryLedger;
use holdfast::record::Record;
use holdfast::record::contact::Contact;
use holdfast::record::event::Event;
use holdfast::record::field::Field;
use holdfast::record::kind::RecordKind;
use holdfast::sync::policy::{Invitations, Policy};
use holdfast::sync::store::mailboxes::MailboxRow;
use holdfast::sync::told::Told;
use holdfast_lab::cast::OutsiderKind;
use serde_json::{Value, json};
use std::fs;
use std::sync::Arc;

/// Looks ahead, lets the turn come, sees that as many mails went out as was foretold, and says what was.
async fn foretold(office: &Office, row: &MailboxRow) -> Told {
    let before = told(office).len();
    let (said, _) = as_foretold(office, row).await;
    office.settle(row).await;
    let went = told(office).split_off(before);
    let mails = |kind: &str| -> usize {
        let of_kind = went.iter().filter(|(word, _)| *word == kind);
        of_kind.map(|(_, to)| to.len()).sum()
    };
    let Told {
        invitations,
        changes,
        cancellations,
    } = said.told;
    let went = (mails("invitation"), mails("cancellation"));
    assert_eq!((invitations + changes, cancellations), went, "{:#?}", said.rows);
    said.told
}

#[tokio::test]
async fn whoever_is_then_invited_told_of_a_change_or_of_the_end_was_foretold() {
    let (office, row, guest) = office(inviting()).await;
    let guests = outsiders(&office, OutsiderKind::Contact, 3);
    let guests: Vec<&str> = guests.iter().map(String::as_str).collect();
    assert_eq!(guests[0], guest);
    office.settle(&row).await;
    let news = |invitations, changes, cancellations| Told {
        invitations,
        changes,
        cancellations,
    };
    made(&office, &row, meeting("Offer", 48, &guests[..2])).await;
    assert_eq!(foretold(&office, &row).await, news(2, 0, 0));
    edit(&office, &row, &[Field::When], meeting("Offer", 72, &[])).await;
    assert_eq!(foretold(&office, &row).await, news(0, 2, 0));
    let others = meeting("Offer", 72, &guests[1..]);
    edit(&office, &row, &[Field::Attendees], others).await;
    assert_eq!(foretold(&office, &row).await, news(1, 1, 1));
    let noted = Event {
        body: "He haggles".into(),
        ..meeting("Offer", 72, &[])
    };
    edit(&office, &row, &[Field::Body], noted).await;
    assert_eq!(foretold(&office, &row).await, Told::default());
    let id = id(&office, &row).await;
    office.in_crm(&row, CALENDAR, CrmWrite::Delete { id }).await;
    assert_eq!(foretold(&office, &row).await, news(0, 0, 2));
}

#[tokio::test]
async fn that_nobody_is_told_of_what_was_there_before_or_without_such_a_policy_is_foretold() {
    let (office, row, guest) = office(inviting()).await;
    made(&office, &row, meeting("There before", 48, &[&guest])).await;
    assert_eq!(foretold(&office, &row).await, Told::default());
    assert_eq!(office.items(&row, CALENDAR).await.len(), 1);
    let mut silent = inviting();
    silent.calendar.invitations = Policy::default().calendar.invitations;
    office.policy("inviting", silent).await;
    office.settle(&row).await;
    made(&office, &row, meeting("Offer", 48, &[&guest])).await;
    assert_eq!(foretold(&office, &row).await, Told::default());
    assert_eq!(office.items(&row, CALENDAR).await.len(), 2);
}

/// A user of a site makes a meeting with somebody in the CRM.
async fn made_at(site: &Site, title: &str, guest: &str) {
    let (_, crm) = site
        .outside()
        .for_people()
        .connect(Arc::new(MemoryLedger::default()));
    let user = CrmUser {
        username: site.people()[0]["sf_username"].as_str().unwrap().to_owned(),
        id: None,
        list: None,
    };
    let card = Record::Contact(Contact {
        family_name: "Guest".into(),
        email: guest.into(),
        ..Contact::default()
    });
    let card = made_by_user("by-hand-guest", card);
    crm.write(&user, RecordKind::Contacts, &[card])
        .await
        .unwrap()
        .remove(0)
        .unwrap();
    let meeting = meeting(title, 48, &[guest]);
    let matches = known(&*crm, &user, &meeting).await;
    let write = [new(meeting, matches)];
    crm.write(&user, CALENDAR, &write)
        .await
        .unwrap()
        .remove(0)
        .unwrap();
}

/// Sets the policy of everybody at a site.
fn set(site: &Site, policy: &Policy) {
    let file = site.file("policy.json");
    fs::write(&file, serde_json::to_string(policy).unwrap()).unwrap();
    site.succeed(&["policy", "set", "default", file.to_str().unwrap()]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_says_how_many_people_would_be_mailed_of_what_and_nothing_where_nobody_would() {
    let site = Site::open(1, 0);
    let mailbox = site.people()[0]["smtp"].as_str().unwrap().to_owned();
    set(&site, &inviting());
    site.succeed(&["sync", &mailbox]);
    made_at(&site, "Offer", "guest@elsewhere.example").await;
    let words = site.succeed(&["preview", &mailbox]);
    assert!(
        words.contains("\nMail would go out: invitation to 1 person.\n"),
        "{words}"
    );
    let row = words.lines().find(|line| line.contains('…')).unwrap();
    assert!(row.trim_end().ends_with("invitation to 1 person"), "{words}");
    let csv = site.succeed(&["preview", &mailbox, "--csv"]);
    let told = ",create in mailbox,,invitation to 1 person";
    assert!(csv.lines().any(|line| line.ends_with(told)), "{csv}");
    let said: Value = serde_json::from_str(&site.succeed(&["--json", "preview", &mailbox])).unwrap();
    let one = json!({"invitations": 1, "changes": 0, "cancellations": 0});
    assert_eq!((&said["told"], &said["rows"][0]["told"]), (&one, &one));

    let mut silent = inviting();
    silent.calendar.invitations = Invitations::Never;
    set(&site, &silent);
    let words = site.succeed(&["preview", &mailbox]);
    assert!(words.starts_with("1 create in mailbox\n\n"), "{words}");
    assert!(!words.contains("told") && !words.contains("Mail"), "{words}");
    let csv = site.succeed(&["preview", &mailbox, "--csv"]);
    assert!(
        csv.lines().any(|line| line.ends_with(",create in mailbox,,")),
        "{csv}"
    );
}
