//! What becomes of records in Odoo, as it keeps them itself.

use crate::crm_contract::samples::{day, event, mail};
use crate::odoo_connector::{ids, office};
use holdfast::crm::model::{CrmId, CrmUser, CrmWrite};
use holdfast::crm::port::Crm;
use holdfast::record::Record;
use holdfast::record::contact::Contact;
use holdfast::record::email::Direction;
use holdfast::record::kind::RecordKind;
use holdfast::record::task::Task;
use serde_json::json;

#[tokio::test]
async fn a_long_text_of_several_lines_and_quotes_is_kept_whole() {
    let office = office(None).await;
    let long = "Zeile <eins> & \"zwei\"\n".repeat(2_000);
    let record = Record::Task(Task {
        subject: "x".repeat(2_000).into(),
        body: long.as_str().into(),
        due: Some(day(9)),
        ..Task::default()
    });
    let id = office
        .stage
        .create("long", record.clone())
        .await
        .expect("written")
        .id;
    let found = office.stage.record(RecordKind::Tasks, &id).await;
    office
        .stage
        .assert_same(RecordKind::Tasks, &record, &found, "a create")
        .await;
}

#[tokio::test]
async fn a_card_without_a_name_keeps_none_and_a_company_is_no_card() {
    let office = office(None).await;
    let stage = &office.stage;
    let record = Record::Contact(Contact {
        email: format!("nameless.{}@out.example", office.rep.login)
            .as_str()
            .into(),
        ..Contact::default()
    });
    let id = stage
        .create("nameless", record.clone())
        .await
        .expect("written")
        .id;
    stage
        .assert_same(
            RecordKind::Contacts,
            &record,
            &stage.record(RecordKind::Contacts, &id).await,
            "a create",
        )
        .await;
    let made = office
        .odoo
        .admin(
            "res.partner",
            "create",
            json!({ "vals_list": [{ "name": "Acme", "is_company": true, "user_id": office.rep.id }] }),
        )
        .await;
    assert!(
        stage
            .read(RecordKind::Contacts, &CrmId(made[0].to_string()))
            .await
            .is_none()
    );
    let (changes, _) = stage.feed(RecordKind::Contacts, None).await;
    assert_eq!(changes.len(), 1);
}

#[tokio::test]
async fn a_sent_mail_is_filed_under_the_lead_where_nobody_else_is_known() {
    let office = office(None).await;
    let stage = &office.stage;
    let mut letter = mail(&office.rep.address, &[&stage.lead.address, &stage.stranger]);
    letter.direction = Direction::Sent;
    let id = stage
        .create("sent", Record::Email(Box::new(letter)))
        .await
        .expect("written")
        .id;
    let fields = ids(
        &id,
        &[
            "model",
            "res_id",
            "author_id",
            "message_type",
            "incoming_email_to",
        ],
    );
    let rows = office.odoo.admin("mail.message", "read", fields).await;
    assert_eq!(rows[0]["model"], "crm.lead");
    assert_eq!(rows[0]["res_id"].to_string(), stage.lead.id.0);
    assert_eq!(rows[0]["author_id"][0], json!(office.rep.partner));
    assert_eq!(rows[0]["message_type"], "email_outgoing");
}

#[tokio::test]
async fn a_record_that_was_archived_and_comes_again_is_there_again() {
    let office = office(None).await;
    let stage = &office.stage;
    let create = || stage.create("again", Record::Event(event()));
    let first = create().await.expect("written").id;
    stage
        .one(RecordKind::Calendar, CrmWrite::Delete { id: first.clone() })
        .await
        .expect("deleted");
    let again = create().await.expect("written");
    assert!(again.id == first && !again.existed);
    assert!(stage.read(RecordKind::Calendar, &first).await.is_some());
}

#[tokio::test]
async fn a_thousand_mails_cost_twenty_calls_at_most() {
    let office = office(None).await;
    let crm = office.odoo.connector(&[&office.rep], None);
    let user: CrmUser = office.rep.user();
    crm.capabilities(&user).await.expect("described");
    let contact = &office.stage.contact.address;
    let mut people: Vec<_> = (0..1000)
        .map(|n| format!("somebody.{n}.{}@unknown.example", office.rep.login))
        .collect();
    people.push(contact.clone());
    let addresses: Vec<_> = people.iter().map(|address| address.as_str().into()).collect();
    let before = crm.sent();
    let known = crm.who_is(&user, &addresses).await.expect("answered");
    let known: Vec<_> = known.into_iter().filter(|known| !known.who.is_empty()).collect();
    let writes: Vec<CrmWrite> = (0..1000)
        .map(|n| {
            let mut letter = mail(&people[n], &[contact]);
            letter.message_id = Some(format!("<{n}.{}@mail.example>", office.rep.login).into());
            CrmWrite::Create {
                key: office.stage.key(&n.to_string()),
                record: Record::Email(Box::new(letter)),
                matches: known.clone(),
            }
        })
        .collect();
    for some in writes.chunks(200) {
        let fates = crm.write(&user, RecordKind::Mail, some).await.expect("answered");
        assert!(fates.iter().all(Result::is_ok));
    }
    let calls = crm.sent() - before;
    assert!(calls <= 20, "{calls} calls");
    let domain = json!([
        ["create_uid", "=", office.rep.id],
        ["x_holdfast_key", "!=", false]
    ]);
    assert_eq!(office.odoo.count("mail.message", domain).await, 1000);
}
