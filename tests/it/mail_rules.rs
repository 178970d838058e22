//! Which mail is saved, how much of it, and as whose; and how much of a private appointment is told.

use crate::harness::acts::made_by_owner;
use crate::harness::letters::{Letter, WORDS, customer, known, related, saved};
use crate::harness::outlook::Outlook;
use crate::harness::{Office, began, outlook};
use chrono::{TimeDelta, Utc};
use holdfast::crm::model::CrmWrite;
use holdfast::record::Record;
use holdfast::record::event::{Event, Place, Sensitivity, ShowAs, When};
use holdfast::record::field::{Field, FieldSet};
use holdfast::record::kind::RecordKind;
use holdfast::sync::model::Reason;
use holdfast::sync::policy::{MailBody, Policy, PrivateItems};
use holdfast::sync::store::mailboxes::MailboxRow;
use holdfast_lab::cast::OutsiderKind;
use serde_json::Value;

/// An office of two people whose first one's mailbox has this policy.
async fn office(policy: Policy) -> (Office, MailboxRow) {
    let office = Office::open(2, 0).await;
    office.policy("mail", policy).await;
    let row = office.add_with(0, "mail").await;
    (office, row)
}

/// One turn; then why mail was left alone.
async fn reasons(office: &Office, row: &MailboxRow) -> Vec<(Reason, u64)> {
    let counts = office.sync(row).await;
    let skipped = &counts[&RecordKind::Mail].skipped;
    skipped.iter().map(|(reason, count)| (*reason, *count)).collect()
}

#[tokio::test]
async fn a_mail_in_two_mailboxes_is_one_record() {
    let (office, ada) = office(Policy::default()).await;
    let ben = office.add(1).await;
    let both = format!("{}, {}", ada.mailbox.address, ben.mailbox.address);
    let letter = Letter::from(&customer(&office), &both);
    for row in [&ada, &ben] {
        letter.arrive(&office, row);
    }
    let first = office.sync(&ada).await;
    let second = office.sync(&ben).await;
    assert_eq!(first[&RecordKind::Mail].created_in_crm, 1);
    assert_eq!(
        second[&RecordKind::Mail].matched,
        1,
        "the second copy finds the first"
    );
    assert_eq!(saved(&office).len(), 1);
}

#[tokio::test]
async fn a_mail_of_a_lead_is_saved_and_related_to_the_lead() {
    let (office, row) = office(Policy::default()).await;
    let (address, lead) = known(&office, OutsiderKind::Lead);
    Letter::from(&address, &row.mailbox.address).arrive(&office, &row);
    office.sync(&row).await;
    let mails = saved(&office);
    assert_eq!(mails.len(), 1);
    assert!(related(&office, &mails[0]).contains(&lead));
}

#[tokio::test]
async fn somebody_who_is_a_contact_and_a_lead_is_a_contact() {
    let (office, row) = office(Policy::default()).await;
    let (address, contact) = known(&office, OutsiderKind::Contact);
    let (_, lead) = known(&office, OutsiderKind::Lead);
    let also = serde_json::json!({"Email": address}).to_string();
    let path = format!("/salesforce/records/{lead}");
    let world = &office.lab.parts.salesforce;
    holdfast_lab::salesforce::control::answer(world, "PATCH", &path, also.as_bytes())
        .unwrap()
        .unwrap();
    Letter::from(&address, &row.mailbox.address).arrive(&office, &row);
    office.sync(&row).await;
    let people = related(&office, &saved(&office)[0]);
    assert!(people.contains(&contact) && !people.contains(&lead), "{people:?}");
}

#[tokio::test]
async fn a_mail_with_nobody_whom_the_crm_knows_stays_in_the_mailbox() {
    let (office, row) = office(Policy::default()).await;
    Letter::from("nobody@nowhere.example", &row.mailbox.address).arrive(&office, &row);
    assert_eq!(reasons(&office, &row).await, [(Reason::NobodyKnown, 1)]);
    assert!(saved(&office).is_empty());
}

#[tokio::test]
async fn mail_that_only_the_organisation_exchanged_stays_whichever_of_its_domains_it_has() {
    let mut policy = Policy::default();
    policy.mail.internal_domains = vec!["Subsidiary.example".to_owned()];
    let (office, row) = office(policy).await;
    let (own, colleague) = (&row.mailbox.address, &office.lab.cast.people[1].smtp);
    Letter::from(colleague, own).arrive(&office, &row);
    Letter::from("cleo@SUBSIDIARY.example", own)
        .number(2)
        .arrive(&office, &row);
    let outside = format!("{own}, {}", customer(&office));
    Letter::from(colleague, &outside).number(3).arrive(&office, &row);
    assert_eq!(reasons(&office, &row).await, [(Reason::Internal, 2)]);
    let subjects: Vec<Value> = saved(&office)
        .iter()
        .map(|mail| mail["Subject"].clone())
        .collect();
    assert_eq!(subjects, ["Letter 3"]);
}

#[tokio::test]
async fn an_address_or_a_domain_on_the_block_list_keeps_a_mail_out() {
    let office = Office::open(2, 0).await;
    let contacts: Vec<_> = office.lab.cast.outsiders.iter().collect();
    let (blocked, rest) = contacts.split_first().unwrap();
    let domain = |address: &str| address.rsplit_once('@').unwrap().1.to_owned();
    let other = rest
        .iter()
        .find(|one| domain(&one.email) != domain(&blocked.email))
        .unwrap();
    let third = rest
        .iter()
        .find(|one| {
            ![&blocked.email, &other.email]
                .map(|of| domain(of))
                .contains(&domain(&one.email))
        })
        .unwrap();
    let mut policy = Policy::default();
    policy.mail.block = vec![blocked.email.to_uppercase(), domain(&other.email)];
    office.policy("mail", policy).await;
    let row = office.add_with(0, "mail").await;
    let own = &row.mailbox.address;
    for (number, from) in [(1, &blocked.email), (2, &other.email), (3, &third.email)] {
        Letter::from(from, own).number(number).arrive(&office, &row);
    }
    let copied = format!("{own}, {}", blocked.email);
    Letter::from(&third.email, &copied)
        .number(4)
        .arrive(&office, &row);
    assert_eq!(reasons(&office, &row).await, [(Reason::Blocked, 3)]);
    assert_eq!(saved(&office).len(), 1);
}

#[tokio::test]
async fn drafts_reports_old_private_and_nameless_mail_stays_each_for_its_reason() {
    let (office, row) = office(Policy::default()).await;
    let (from, own) = (customer(&office), row.mailbox.address.clone());
    let outlook = Outlook::of(&office.lab, 0);
    let draft = format!(
        "<m:CreateItem MessageDisposition=\"SaveOnly\"><m:SavedItemFolderId><t:DistinguishedFolderId Id=\"inbox\"/>\
         </m:SavedItemFolderId><m:Items><t:Message><t:Subject>Not yet</t:Subject><t:ToRecipients><t:Mailbox>\
         <t:EmailAddress>{from}</t:EmailAddress></t:Mailbox></t:ToRecipients></t:Message></m:Items></m:CreateItem>"
    );
    outlook.ask(&draft).await;
    let report = "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\n\
                  Content-Type: text/plain\r\n\r\nIt did not arrive.\r\n--b--\r\n";
    Letter::from(&from, &own).body(report).arrive(&office, &row);
    let old = (Utc::now() - TimeDelta::days(400)).to_rfc2822();
    let letter = |number| Letter::from(&from, &own).number(number);
    letter(2).head(&format!("Date: {old}")).arrive(&office, &row);
    for (number, word) in [(3, "Private"), (4, "Personal"), (5, "Company-Confidential")] {
        let head = format!("Sensitivity: {word}");
        letter(number).head(&head).arrive(&office, &row);
    }
    letter(6).head("Message-ID: ").arrive(&office, &row);
    let expected = [
        (Reason::Private, 3),
        (Reason::Window, 1),
        (Reason::Draft, 1),
        (Reason::Report, 1),
        (Reason::NoMessageId, 1),
    ];
    assert_eq!(reasons(&office, &row).await, expected);
    assert!(saved(&office).is_empty());
}

#[tokio::test]
async fn of_a_signed_or_encrypted_mail_the_header_is_saved_and_never_the_body() {
    let (office, row) = office(Policy::default()).await;
    let signed = format!(
        "Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; micalg=sha-256; boundary=b\r\n\r\n\
         --b\r\nContent-Type: text/plain\r\n\r\n{WORDS}\r\n--b\r\nContent-Type: application/pkcs7-signature; \
         name=smime.p7s\r\nContent-Transfer-Encoding: base64\r\n\r\nMIIB\r\n--b--\r\n"
    );
    let encrypted = "Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m\r\n\
                     Content-Transfer-Encoding: base64\r\n\r\nMIIBAgMEBQYHCAkK\r\n";
    let letter = |number| Letter::from(&customer(&office), &row.mailbox.address).number(number);
    letter(1).body(&signed).arrive(&office, &row);
    letter(2).body(encrypted).arrive(&office, &row);
    assert_eq!(reasons(&office, &row).await, []);
    let mails = saved(&office);
    assert_eq!(mails.len(), 2);
    for mail in mails {
        assert!(mail["Subject"].as_str().unwrap().starts_with("Letter"));
        assert_eq!(
            (&mail["TextBody"], &mail["HtmlBody"]),
            (&Value::Null, &Value::Null)
        );
    }
}

/// Marks a mail as one that rights management protects, as [MS-OXORMMS] 2.1.1.1 says it is told.
async fn protect(office: &Office, id: &str) {
    let property = "<t:ExtendedFieldURI DistinguishedPropertySetId=\"InternetHeaders\" \
                    PropertyName=\"content-class\" PropertyType=\"String\"/>";
    let change = format!(
        "<m:UpdateItem ConflictResolution=\"AlwaysOverwrite\" MessageDisposition=\"SaveOnly\"><m:ItemChanges>\
         <t:ItemChange>{}<t:Updates><t:SetItemField>{property}<t:Message><t:ExtendedProperty>{property}\
         <t:Value>rpmsg.message</t:Value></t:ExtendedProperty></t:Message></t:SetItemField></t:Updates>\
         </t:ItemChange></m:ItemChanges></m:UpdateItem>",
        outlook::item(id)
    );
    Outlook::of(&office.lab, 0).ask(&change).await;
}

#[tokio::test]
async fn a_mail_under_rights_management_is_left_alone_unless_only_headers_are_saved() {
    for (body, left) in [(MailBody::Full, true), (MailBody::HeaderOnly, false)] {
        let mut policy = Policy::default();
        policy.mail.body = body;
        let (office, row) = office(policy).await;
        let id = Letter::from(&customer(&office), &row.mailbox.address).arrive(&office, &row);
        protect(&office, &id).await;
        let expected = if left {
            vec![(Reason::Protected, 1)]
        } else {
            vec![]
        };
        assert_eq!(reasons(&office, &row).await, expected);
        let mails = saved(&office);
        assert_eq!(mails.len(), usize::from(!left));
        assert!(mails.iter().all(|mail| mail["TextBody"] == Value::Null));
    }
}

#[tokio::test]
async fn with_headers_only_a_mail_is_saved_with_its_people_and_title_and_without_its_words() {
    let mut policy = Policy::default();
    policy.mail.body = MailBody::HeaderOnly;
    let (office, row) = office(policy).await;
    let (address, contact) = known(&office, OutsiderKind::Contact);
    Letter::from(&address, &row.mailbox.address).arrive(&office, &row);
    office.sync(&row).await;
    let mails = saved(&office);
    assert_eq!((mails.len(), &mails[0]["Subject"]), (1, &Value::from("Letter 1")));
    assert!(related(&office, &mails[0]).contains(&contact));
    let everything = office.lab.parts.salesforce.content().to_string();
    assert!(!everything.contains(WORDS));
}

#[tokio::test]
async fn where_mail_is_off_none_is_saved() {
    let mut policy = Policy::default();
    policy.mail.enabled = false;
    let (office, row) = office(policy).await;
    Letter::from(&customer(&office), &row.mailbox.address).arrive(&office, &row);
    assert_eq!(reasons(&office, &row).await, []);
    assert!(saved(&office).is_empty());
}

fn doctor() -> Event {
    let start = began() + TimeDelta::days(3);
    Event {
        meeting_id: None,
        place: Place::Single,
        subject: "Doctor Miller".into(),
        body: "Bring the X-rays.".into(),
        location: "Ward 9".into(),
        when: When::Timed {
            start,
            end: start + TimeDelta::minutes(30),
        },
        zone: Some(chrono_tz::Europe::Berlin),
        show_as: ShowAs::OutOfOffice,
        sensitivity: Sensitivity::Private,
        reminder_minutes: Some(15),
        is_organizer: true,
        organizer: None,
        attendees: Vec::new(),
        groups: Vec::new(),
        cancelled: false,
    }
}

/// An office with a private appointment, treated so.
async fn with_private(private: PrivateItems) -> (Office, MailboxRow) {
    let mut policy = Policy::default();
    policy.calendar.private = private;
    let (office, row) = office(policy).await;
    let write = made_by_owner(Record::Event(doctor()));
    office.in_mailbox(&row, RecordKind::Calendar, write).await;
    office.settle(&row).await;
    (office, row)
}

async fn only_event(office: &Office, row: &MailboxRow) -> holdfast::crm::model::CrmRecord {
    let mut records = office.records(row, RecordKind::Calendar).await;
    assert_eq!(records.len(), 1);
    records.remove(0)
}

#[tokio::test]
async fn of_a_masked_private_appointment_the_crm_learns_when_and_nothing_else() {
    let (office, row) = with_private(PrivateItems::Mask).await;
    let record = only_event(&office, &row).await;
    let Record::Event(event) = &record.record else {
        panic!("an event")
    };
    assert!(event.when == doctor().when && event.sensitivity == Sensitivity::Private);
    let everything = office.lab.parts.salesforce.content().to_string();
    for word in ["Miller", "X-rays", "Ward 9"] {
        assert!(!everything.contains(word), "{word}");
    }
}

#[tokio::test]
async fn nothing_is_written_back_over_a_masked_private_appointment() {
    let (office, row) = with_private(PrivateItems::Mask).await;
    let record = only_event(&office, &row).await;
    let fields = FieldSet::of(&[Field::Subject, Field::Body]);
    let write = CrmWrite::Update {
        id: record.id,
        fields,
        record: Record::Event(Event {
            subject: "Busy".into(),
            body: "I wonder why.".into(),
            ..doctor()
        }),
        matches: Vec::new(),
    };
    office.in_crm(&row, RecordKind::Calendar, write).await;
    office.settle(&row).await;
    let items = office.items(&row, RecordKind::Calendar).await;
    let Record::Event(event) = &items[0].record else {
        panic!("an event")
    };
    assert_eq!(event.subject.expose(), "Doctor Miller");
    assert_eq!(event.body.expose().trim(), "Bring the X-rays.");
}

#[tokio::test]
async fn a_private_appointment_goes_whole_and_marked_private_where_the_policy_says_full() {
    let (office, row) = with_private(PrivateItems::Full).await;
    let record = only_event(&office, &row).await;
    let Record::Event(event) = &record.record else {
        panic!("an event")
    };
    assert_eq!(event.subject.expose(), "Doctor Miller");
    assert!(event.sensitivity == Sensitivity::Private);
}
