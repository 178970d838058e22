//! Where mail is filed in a real Odoo: under the opportunity that a rule of the policy finds, where its thread is, or
//! nowhere at all, which is no failure.

use crate::crm_contract::samples::mail;
use crate::harness::Site;
use crate::harness::letters::Letter;
use crate::harness::outlook::{self, Outlook};
use crate::odoo_connector::{Office, ids, office};
use crate::odoo_office::office_under;
use crate::odoo_server::{Odoo, Rep};
use crate::odoo_sync::between;
use holdfast::crm::error::CrmError;
use holdfast::crm::filing::{AddressField, Filed, PlaceBy, PlaceId};
use holdfast::crm::model::{CrmId, CrmWrite, Match};
use holdfast::record::Record;
use holdfast::record::kind::RecordKind;
use holdfast::sync::explain::explain;
use holdfast::sync::mail_policy::MatchRule;
use holdfast::sync::model::Reason;
use holdfast::sync::policy::Policy;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;

/// An opportunity of a contact, owned by the user.
async fn opportunity(odoo: &Odoo, rep: &Rep, contact: &CrmId) -> i64 {
    let values = json!({
        "name": format!("deal of {}", contact.0), "type": "opportunity", "user_id": rep.id,
        "partner_id": contact.0.parse::<i64>().expect("a number"),
    });
    let made = odoo
        .admin("crm.lead", "create", json!({ "vals_list": [values] }))
        .await;
    made[0].as_i64().expect("a number")
}

async fn people(office: &Office, addresses: &[&str]) -> Vec<Match> {
    let addresses: Vec<_> = addresses.iter().map(|address| (*address).into()).collect();
    let known = office.stage.crm.who_is(&office.stage.user, &addresses).await;
    known.expect("answered")
}

async fn places(office: &Office, by: &PlaceBy, addresses: &[&str]) -> Result<Vec<Vec<PlaceId>>, CrmError> {
    let people = people(office, addresses).await;
    office.stage.crm.places(&office.stage.user, by, &people).await
}

fn by(object: &str, field: &str) -> PlaceBy {
    let name = |name: &str| name.to_owned().try_into().expect("a name");
    PlaceBy::Address(AddressField {
        object: name(object),
        field: name(field),
    })
}

fn lead(id: i64) -> PlaceId {
    PlaceId(format!("crm.lead:{id}"))
}

#[tokio::test]
async fn the_opportunities_of_a_contact_are_found_while_they_are_open() {
    let office = office(None).await;
    let (odoo, contact) = (&office.odoo, &office.stage.contact);
    let mut made = Vec::new();
    for _ in 0..3 {
        made.push(opportunity(odoo, &office.rep, &contact.id).await);
    }
    odoo.admin("crm.lead", "action_set_won", json!({ "ids": [made[1]] }))
        .await;
    odoo.admin("crm.lead", "action_set_lost", json!({ "ids": [made[2]] }))
        .await;
    let asked = [
        contact.address.as_str(),
        office.stage.another_contact.address.as_str(),
    ];
    let found = places(&office, &PlaceBy::Opportunity, &asked)
        .await
        .expect("answered");
    assert_eq!(found, [vec![lead(made[0])], vec![]]);
}

#[tokio::test]
async fn a_mail_that_is_filed_under_an_opportunity_stands_in_its_chatter_and_its_thread_says_so() {
    let office = office(None).await;
    let stage = &office.stage;
    let deal = opportunity(&office.odoo, &office.rep, &stage.contact.id).await;
    let letter = mail(&stage.contact.address, &[&office.rep.address]);
    let write = CrmWrite::File {
        key: stage.key("filed"),
        matches: people(&office, &[&stage.contact.address]).await,
        record: Record::Email(Box::new(letter.clone())),
        under: Some(lead(deal)),
    };
    let id = stage.one(RecordKind::Mail, write).await.expect("written").id;
    stage
        .create("plain", Record::Email(Box::new(letter)))
        .await
        .expect("written");
    let fields = ids(&id, &["model", "res_id", "author_id"]);
    let rows = office
        .odoo
        .call(&office.rep.key, "mail.message", "read", fields)
        .await;
    assert_eq!(
        (&rows[0]["model"], &rows[0]["res_id"]),
        (&json!("crm.lead"), &json!(deal))
    );
    assert_eq!(rows[0]["author_id"][0].to_string(), stage.contact.id.0);
    let keys = ["filed", "plain", "never written"].map(|name| stage.key(name));
    let filed = stage.crm.filed(&stage.user, &keys).await.expect("answered");
    let under = |under| Some(Filed { under });
    assert_eq!(filed, [under(Some(lead(deal))), under(None), None]);
}

#[tokio::test]
async fn a_record_of_any_model_is_found_by_an_address_in_any_case_and_no_pattern_matches() {
    let office = office(None).await;
    let address = format!("rita_m.{}@out.example", office.rep.login);
    let named = |email: &str| json!({ "name": "Rita", "email_from": email, "user_id": office.rep.id });
    let values = json!({ "vals_list": [named(&address.to_uppercase()), named(&address.replace('_', "x"))] });
    let made = office.odoo.admin("crm.lead", "create", values).await;
    let found = places(
        &office,
        &by("crm.lead", "email_from"),
        &[&address, "nobody@out.example"],
    )
    .await;
    let first = made[0].as_i64().expect("a number");
    assert_eq!(found.expect("answered"), [vec![lead(first)], vec![]]);
}

#[tokio::test]
async fn what_this_odoo_has_no_place_for_is_said_by_its_name() {
    let office = office(None).await;
    let asked = [
        (PlaceBy::Case, "helpdesk.ticket"),
        (by("project.nothing", "email"), "project.nothing.email"),
        (by("project.project", "nothing"), "project.project.nothing"),
    ];
    for (by, name) in asked {
        let refused = places(&office, &by, &["rita@out.example"]).await;
        let said = matches!(&refused, Err(CrmError::PlaceMissing { field }) if field == name);
        assert!(said, "{name}: {refused:?}");
    }
}

/// A lab and an Odoo with Holdfast between them, a contact who writes, and the rules by which mail is filed.
async fn site(odoo: &Odoo, reps: &[Rep], matching: Vec<MatchRule>) -> (Site, String, CrmId) {
    let site = between(odoo, reps, "");
    let writer = format!("thread.{}@customer.example", reps[0].login);
    let card = odoo.person("res.partner", &writer).await;
    let mut policy = Policy::default();
    policy.mail.matching = matching;
    let file = site.file("policy.json");
    fs::write(&file, serde_json::to_string(&policy).unwrap()).unwrap();
    site.succeed(&["policy", "set", "default", file.to_str().unwrap()]);
    (site, writer, card.id)
}

/// Puts a mail into the first person's inbox, an answer to the first one where it is not that; says its id.
fn deliver(site: &Site, rep: &Rep, number: usize, from: &str) -> String {
    let address = site.people()[0]["smtp"].as_str().unwrap().to_owned();
    let named = |number: usize| format!("<{number}.{}@thread.example>", rep.login);
    let answers = if number == 0 {
        String::new()
    } else {
        format!("In-Reply-To: {}\r\n", named(0))
    };
    let text = format!(
        "From: {from}\r\nTo: {address}\r\nSubject: Deal {number}\r\nMessage-ID: {}\r\n{answers}Date: {}\r\n\
         Content-Type: text/plain\r\n\r\nWords\r\n",
        named(number),
        chrono::Utc::now().to_rfc2822()
    );
    let path = format!("/exchange/import-eml?mailbox={address}&folder=inbox");
    let told = site.control("POST", &path, text.as_bytes());
    told["id"].as_str().unwrap().to_owned()
}

async fn chatter(odoo: &Odoo, rep: &Rep, number: usize) -> Vec<Value> {
    let id = format!("<{number}.{}@thread.example>", rep.login);
    let asked = json!({ "domain": [["message_id", "=", id]], "fields": ["model", "res_id"] });
    let rows = odoo.call(&rep.key, "mail.message", "search_read", asked).await;
    rows.as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_of_a_stranger_stands_where_its_thread_is() {
    let (odoo, rules) = (Odoo::up(), vec![MatchRule::Thread, MatchRule::Opportunity]);
    let reps = [odoo.rep()];
    let (site, writer, card) = site(&odoo, &reps, rules).await;
    let deal = opportunity(&odoo, &reps[0], &card).await;
    deliver(&site, &reps[0], 0, &writer);
    site.run(&["sync", "--all"]);
    deliver(&site, &reps[0], 1, "stranger@elsewhere.example");
    site.run(&["sync", "--all"]);
    for number in 0..2 {
        let rows = chatter(&odoo, &reps[0], number).await;
        assert_eq!(rows.len(), 1, "mail {number}");
        assert_eq!(
            (&rows[0]["model"], &rows[0]["res_id"]),
            (&json!("crm.lead"), &json!(deal))
        );
    }
}

#[tokio::test]
async fn a_mail_that_its_owner_marked_stays_where_it_is_while_nobody_in_it_is_known() {
    let odoo = Odoo::up();
    let rep = odoo.rep();
    let mut policy = Policy::default();
    policy.mail.on_demand.categories = vec!["Save to CRM".to_owned()];
    policy.mail.on_demand.only = true;
    let (office, row) = office_under(&odoo, &rep, policy).await;
    let stranger = format!("marked.{}@elsewhere.example", rep.login);
    let arrive = |from: &str, number| {
        Letter::from(from, &row.mailbox.address)
            .number(number)
            .arrive(&office, &row)
    };
    let customer = office.pages.customer();
    let (left, saved) = (arrive(&stranger, 1), arrive(&customer, 2));
    arrive(&customer, 3);
    for item in [&left, &saved] {
        let mark = format!(
            "<m:UpdateItem ConflictResolution=\"AlwaysOverwrite\" MessageDisposition=\"SaveOnly\"><m:ItemChanges>\
             <t:ItemChange>{}<t:Updates><t:SetItemField><t:FieldURI FieldURI=\"item:Categories\"/><t:Message>\
             <t:Categories><t:String>Save to CRM</t:String></t:Categories></t:Message></t:SetItemField></t:Updates>\
             </t:ItemChange></m:ItemChanges></m:UpdateItem>",
            outlook::item(item)
        );
        Outlook::of(&office.lab, 0).ask(&mark).await;
    }
    let counts = office.sync(&row).await[&RecordKind::Mail].clone();
    let expected = BTreeMap::from([(Reason::NobodyKnown, 1), (Reason::NotMarked, 1)]);
    assert_eq!(counts.skipped, expected);
    assert_eq!(counts.failed, 0);
    assert_eq!(office.pages.mails().await, ["Letter 2"]);
    let said = explain(&office.engine, &row, &left).await.unwrap().unwrap();
    assert_eq!(said.decided.as_deref(), Some("mail.has_a_record (mailbox)"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_that_is_wanted_and_has_no_record_to_stand_in_is_left_with_its_reason_and_no_failure() {
    let (odoo, rules) = (Odoo::up(), vec![MatchRule::Thread, MatchRule::Contact]);
    let reps = [odoo.rep()];
    let (site, writer, _) = site(&odoo, &reps, rules).await;
    deliver(&site, &reps[0], 0, &writer);
    site.run(&["sync", "--all"]);
    let id = deliver(&site, &reps[0], 1, "stranger@elsewhere.example");
    site.run(&["sync", "--all"]);
    assert_eq!(chatter(&odoo, &reps[0], 0).await.len(), 1);
    assert!(chatter(&odoo, &reps[0], 1).await.is_empty());
    let failures: Vec<Value> =
        serde_json::from_str(&site.succeed(&["--json", "failures"])).unwrap_or_default();
    assert!(failures.is_empty(), "{failures:?}");
    let address = site.people()[0]["smtp"].as_str().unwrap().to_owned();
    let told = site.succeed(&["explain", &address, &id]);
    assert!(told.contains("mail.has_a_record"), "{told}");
}
