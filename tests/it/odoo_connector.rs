//! The Odoo connector against a real Odoo: the contract of every CRM over both of its interfaces, and what is
//! Odoo's own.

use crate::crm_contract::samples::{answered, attendee, contact, event, mail, task};
use crate::crm_contract::{Known, Stage};
use crate::odoo_server::{Odoo, Rep};
use holdfast::crm::error::CrmError;
use holdfast::crm::model::{CrmChange, CrmId, CrmWrite, Fate};
use holdfast::crm::odoo::Api;
use holdfast::crm::port::Crm;
use holdfast::foundation::failure::Class;
use holdfast::record::Record;
use holdfast::record::event::{Event, Response, When};
use holdfast::record::field::{Field, FieldSet};
use holdfast::record::kind::RecordKind;
use serde_json::{Value, json};
use std::sync::Arc;

/// What a test needs: the database, a user of its own with a colleague, and people whom both know.
pub struct Office {
    pub odoo: Arc<Odoo>,
    pub stage: Stage,
    pub rep: Rep,
    pub colleague: Rep,
}

/// With a colleague whom other tests know as well.
pub async fn office(api: Option<Api>) -> Office {
    let odoo = Odoo::up();
    let (rep, colleague) = (odoo.rep(), odoo.colleague());
    office_of(odoo, rep, colleague, api).await
}

/// With a colleague whom only this test has, so that he may do something too.
pub async fn office_of_two() -> Office {
    let odoo = Odoo::up();
    let (rep, colleague) = (odoo.rep(), odoo.rep());
    office_of(odoo, rep, colleague, None).await
}

async fn office_of(odoo: Odoo, rep: Rep, colleague: Rep, api: Option<Api>) -> Office {
    let odoo = Arc::new(odoo);
    let at = |name: &str| format!("{name}.{}@out.example", rep.login);
    let stage = Stage {
        crm: odoo.connector(&[&rep, &colleague], api),
        user: rep.user(),
        colleague: Known {
            address: colleague.address.clone(),
            id: CrmId(colleague.id.to_string()),
        },
        contact: odoo.person("res.partner", &at("contact")).await,
        another_contact: odoo.person("res.partner", &at("another")).await,
        lead: odoo.person("crm.lead", &at("lead")).await,
        stranger: at("stranger"),
        realm: rep.login.clone(),
        exact: false,
        _keep: Box::new(Arc::clone(&odoo)),
    };
    Office {
        odoo,
        stage,
        rep,
        colleague,
    }
}

/// Odoo sets its texts no limits and counts no calls; for the rest, both interfaces keep every promise.
macro_rules! contract_over {
    ($interface:ident, $api:expr) => {
        mod $interface {
            use crate::crm_contract::{Stage, crm_contract};
            use holdfast::crm::odoo::Api;

            async fn stage() -> Stage {
                super::office(Some($api)).await.stage
            }

            crm_contract!(
                stage,
                [
                    a_record_of_each_kind_is_read_back_as_it_was_written,
                    every_writable_field_changes_alone,
                    an_event_that_moves_takes_its_reminder_along,
                    days_keep_their_dates,
                    the_feed_shows_what_is_new_what_changed_and_what_was_deleted,
                    the_feed_holds_the_users_own_records_and_all_of_them,
                    a_cursor_from_elsewhere_is_lost_and_said_to_be,
                    a_key_that_is_taken_creates_nothing_and_names_the_first_record,
                    a_deletion_that_is_repeated_does_no_harm,
                    the_fates_of_a_batch_are_told_apart,
                    people_are_known_by_their_addresses_and_strangers_are_not,
                    of_two_contacts_with_one_address_the_older_comes_first_and_both_before_a_lead,
                    attendees_whom_the_crm_knows_are_linked_and_change_as_told,
                    answers_are_set_as_told_and_nobody_is_asked_or_taken_off_with_them,
                    a_private_event_is_private_to_others,
                    a_mail_is_written_once_and_keeps_its_people,
                    a_user_whom_the_crm_does_not_know_is_refused_in_words,
                ]
            );
        }
    };
}

contract_over!(json2, Api::Json2);
contract_over!(jsonrpc, Api::JsonRpc);

/// Everything that Odoo would send or show to somebody because of what this user did.
pub async fn noticed(office: &Office) -> (u64, u64) {
    let told = office.odoo.told(&[&office.rep, &office.colleague]).await;
    let partners: Vec<i64> = vec![
        office.colleague.partner,
        office.stage.contact.id.0.parse().expect("a number"),
        office.stage.another_contact.id.0.parse().expect("a number"),
    ];
    let notices = json!([["res_partner_id", "in", partners]]);
    (told, office.odoo.count("mail.notification", notices).await)
}

#[tokio::test]
async fn a_probe_says_which_odoo_it_is_and_who_the_user_is() {
    let office = office(None).await;
    let probe = office
        .stage
        .crm
        .probe(&office.stage.user)
        .await
        .expect("a good user");
    assert_eq!(Some(probe.user), office.stage.user.id);
    assert!(
        probe.server.starts_with("Odoo 19") && probe.server.contains("JSON-2"),
        "{}",
        probe.server
    );
    assert!(probe.calls.is_none(), "Odoo counts no calls");
}

#[tokio::test]
async fn nobody_is_mailed_or_told_whatever_is_written() {
    let office = office_of_two().await;
    let stage = &office.stage;
    let guests = vec![
        attendee(&stage.contact.address),
        attendee(&stage.another_contact.address),
        attendee(&stage.colleague.address),
    ];
    let meeting = |when: When| {
        Record::Event(Event {
            when,
            attendees: guests.clone(),
            ..event()
        })
    };
    let before = noticed(&office).await;
    let soon = chrono::Utc::now() + chrono::TimeDelta::minutes(5);
    let at = |hours: i64| When::Timed {
        start: soon + chrono::TimeDelta::hours(hours),
        end: soon + chrono::TimeDelta::hours(hours + 1),
    };
    let id = stage.create("meeting", meeting(at(1))).await.expect("written").id;
    let fields = FieldSet::of(&[Field::When, Field::Subject, Field::Location]);
    stage.update(&id, fields, meeting(at(26))).await.expect("moved");
    let fewer = Record::Event(Event {
        attendees: vec![attendee(&stage.colleague.address)],
        ..event()
    });
    let attendees = FieldSet::of(&[Field::Attendees]);
    stage.update(&id, attendees, fewer).await.expect("taken away");
    stage
        .update(&id, attendees, meeting(at(26)))
        .await
        .expect("invited again");
    let answer = Record::Event(Event {
        attendees: vec![answered(&stage.contact.address, Response::Accepted)],
        ..event()
    });
    let answers = FieldSet::of(&[Field::Responses]);
    stage.update(&id, answers, answer).await.expect("answered");
    stage
        .one(RecordKind::Calendar, CrmWrite::Delete { id })
        .await
        .expect("deleted");
    let mut letter = mail(&stage.contact.address, &[&stage.colleague.address]);
    letter.cc = vec![holdfast::record::person::Person::at(
        &stage.another_contact.address,
    )];
    stage
        .create("mail", Record::Email(Box::new(letter)))
        .await
        .expect("written");
    stage.create("task", Record::Task(task())).await.expect("written");
    stage
        .create("card", Record::Contact(contact()))
        .await
        .expect("written");
    assert_eq!(noticed(&office).await, before);
}

#[tokio::test]
async fn a_description_stays_as_its_author_wrote_it() {
    let office = office(None).await;
    let record = Record::Event(Event {
        attendees: vec![attendee(&office.stage.contact.address)],
        ..event()
    });
    let id = office.stage.create("plain", record).await.expect("written").id;
    let rows = office
        .odoo
        .admin("calendar.event", "read", ids(&id, &["description"]))
        .await;
    let text = rows[0]["description"].as_str().expect("a description");
    assert!(!text.contains("Contact Details") && text.contains("First line<br>second"));
}

pub fn ids(id: &CrmId, fields: &[&str]) -> Value {
    json!({ "ids": [id.0.parse::<i64>().expect("a number")], "fields": fields })
}

#[tokio::test]
async fn two_imports_of_one_key_at_the_same_moment_make_one_record() {
    let office = office_of_two().await;
    let other = office.odoo.connector(&[&office.colleague], None);
    let write = |name: &str| CrmWrite::Create {
        key: office.stage.key(name),
        record: Record::Event(event()),
        matches: Vec::new(),
    };
    for round in 0..6 {
        let writes = [write(&round.to_string())];
        let (mine, theirs) = (office.rep.user(), office.colleague.user());
        let (a, b) = tokio::join!(
            office.stage.crm.write(&mine, RecordKind::Calendar, &writes),
            other.write(&theirs, RecordKind::Calendar, &writes),
        );
        let id = |answer: Result<Vec<_>, CrmError>| {
            let fates: Vec<Result<holdfast::crm::model::CrmWritten, CrmError>> = answer.expect("answered");
            fates.into_iter().next().expect("one").expect("written").id
        };
        assert_eq!(id(a), id(b), "round {round}");
    }
}

#[tokio::test]
async fn a_record_that_was_really_deleted_is_told_from_one_that_was_lost_from_sight() {
    let office = office_of_two().await;
    let stage = &office.stage;
    let mut made = Vec::new();
    for name in ["stays", "deleted", "lost"] {
        made.push(
            stage
                .create(name, Record::Task(task()))
                .await
                .expect("written")
                .id,
        );
    }
    let number = |at: usize| made[at].0.parse::<i64>().expect("a number");
    office
        .odoo
        .call(
            &office.rep.key,
            "project.task",
            "unlink",
            json!({ "ids": [number(1)] }),
        )
        .await;
    let theirs = json!({ "ids": [number(2)], "vals": { "user_ids": [[6, 0, [office.colleague.id]]] } });
    office
        .odoo
        .call(&office.rep.key, "project.task", "write", theirs)
        .await;
    let fates = stage
        .crm
        .fates(&stage.user, RecordKind::Tasks, &made)
        .await
        .expect("asked");
    let owner = CrmId(office.colleague.id.to_string());
    assert_eq!(fates[..2], [Fate::Alive, Fate::Deleted]);
    assert!(fates[2] == Fate::Unknown || fates[2] == Fate::Elsewhere { owner });
}

#[tokio::test]
async fn an_attendees_answer_is_in_the_feed_though_the_event_did_not_change() {
    let office = office(None).await;
    let stage = &office.stage;
    let record = Record::Event(Event {
        attendees: vec![attendee(&stage.contact.address)],
        ..event()
    });
    let id = stage.create("answered", record).await.expect("written").id;
    let (_, cursor) = stage.feed(RecordKind::Calendar, None).await;
    let (_, cursor) = stage.feed(RecordKind::Calendar, Some(cursor)).await;
    let number: i64 = id.0.parse().expect("a number");
    let domain = json!([
        ["event_id", "=", number],
        ["partner_id.email", "=", stage.contact.address]
    ]);
    let rows = office
        .odoo
        .admin("calendar.attendee", "search", json!({ "domain": domain }))
        .await;
    let accept = json!({ "ids": rows, "vals": { "state": "accepted" } });
    office.odoo.admin("calendar.attendee", "write", accept).await;
    let (changes, _) = stage.feed(RecordKind::Calendar, Some(cursor)).await;
    let answered = changes.iter().any(|change| match change {
        CrmChange::Upserted(record) if record.id == id => match &record.record {
            Record::Event(event) => event
                .attendees
                .iter()
                .any(|one| one.response == Response::Accepted),
            _ => false,
        },
        _ => false,
    });
    assert!(answered);
}

#[tokio::test]
async fn a_key_of_somebody_else_is_refused() {
    let office = office(Some(Api::Json2)).await;
    let impostor = Rep {
        key: office.colleague.key.clone(),
        ..office.rep.clone()
    };
    let crm = office.odoo.connector(&[&impostor], None);
    let error = crm.probe(&impostor.user()).await.expect_err("refused");
    assert!(matches!(error, CrmError::UserRefused { .. }), "{error}");
}

#[tokio::test]
async fn a_database_that_is_not_there_is_a_matter_of_the_settings() {
    let office = office(None).await;
    let crm = office
        .odoo
        .connector_for("no_such_database", &[&office.rep], None);
    let error = crm.probe(&office.rep.user()).await.expect_err("refused");
    assert_eq!(error.class(), Class::SignInExpired, "{error}");
}

#[tokio::test]
async fn rights_are_the_users_own_and_a_colleagues_private_meeting_is_not_changed() {
    let office = office_of_two().await;
    let stage = &office.stage;
    let private = Record::Event(Event {
        sensitivity: holdfast::record::event::Sensitivity::Private,
        ..event()
    });
    let id = stage.create("private", private).await.expect("written").id;
    let theirs = office.odoo.connector(&[&office.colleague], None);
    let write = CrmWrite::Update {
        id: id.clone(),
        fields: FieldSet::of(&[Field::Subject]),
        record: Record::Event(event()),
        matches: Vec::new(),
    };
    let fates = theirs
        .write(&office.colleague.user(), RecordKind::Calendar, &[write])
        .await;
    let fate = fates.expect("answered").remove(0);
    assert!(
        matches!(fate, Err(CrmError::NotPermitted { .. })),
        "a colleague's private meeting"
    );
    let seen = theirs
        .read(&office.colleague.user(), RecordKind::Calendar, &[id])
        .await
        .expect("read");
    if let Some(Record::Event(seen)) = seen.into_iter().next().flatten().map(|found| found.record) {
        let Record::Event(mine) = Record::Event(event()) else {
            panic!("an event")
        };
        assert!(
            seen.subject != mine.subject,
            "a colleague does not see what it is"
        );
    }
}

#[tokio::test]
async fn without_the_right_to_create_contacts_there_is_no_writing_them() {
    let office = office(None).await;
    let group = office
        .odoo
        .admin(
            "ir.model.data",
            "check_object_reference",
            json!({ "module": "base", "xml_id": "group_partner_manager" }),
        )
        .await;
    let without = json!({ "ids": [office.rep.id], "vals": { "group_ids": [[3, group[1]]] } });
    office.odoo.admin("res.users", "write", without).await;
    let manager = office
        .odoo
        .admin(
            "ir.model.data",
            "check_object_reference",
            json!({ "module": "sales_team", "xml_id": "group_sale_salesman" }),
        )
        .await;
    let without = json!({ "ids": [office.rep.id], "vals": { "group_ids": [[3, manager[1]]] } });
    office.odoo.admin("res.users", "write", without).await;
    let capabilities = office
        .stage
        .crm
        .capabilities(&office.stage.user)
        .await
        .expect("told");
    assert!(!capabilities.may_create(RecordKind::Contacts));
    assert!(
        !capabilities.readable(RecordKind::Contacts).is_empty(),
        "reading stays"
    );
    assert!(
        capabilities.may_create(RecordKind::Calendar),
        "so does the calendar"
    );
}
