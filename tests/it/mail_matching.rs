//! With what of the CRM a mail belongs together: by rule, by thread, and by what its owner says.

use crate::harness::letters::{Letter, WORDS, customer, known, related, saved};
use crate::harness::outlook::{self, Outlook};
use crate::harness::{Office, sales};
use holdfast::crm::error::CrmError;
use holdfast::crm::filing::{AddressField, ApiName};
use holdfast::record::kind::RecordKind;
use holdfast::sync::error::SyncError;
use holdfast::sync::explain;
use holdfast::sync::model::Reason;
use holdfast::sync::policy::{MailBody, MatchRule, Policy};
use holdfast::sync::report::Explanation;
use holdfast::sync::store::mailboxes::MailboxRow;
use holdfast_lab::cast::OutsiderKind;
use serde_json::{Value, json};

/// An office of two people whose first one's mail goes by these rules.
async fn office(rules: &[MatchRule]) -> (Office, MailboxRow) {
    let mut policy = Policy::default();
    policy.mail.matching = rules.to_vec();
    with(policy).await
}

async fn with(policy: Policy) -> (Office, MailboxRow) {
    let office = Office::open(2, 0).await;
    office.policy("mail", policy).await;
    let row = office.add_with(0, "mail").await;
    (office, row)
}

async fn deal(office: &Office, contact: &str, stage: &str) -> String {
    let fields = json!({
        "Name": "A deal", "StageName": stage, "CloseDate": "2027-06-30", "ContactId": contact,
    });
    sales::make(&office.lab, 0, "Opportunity", fields).await
}

async fn complaint(office: &Office, contact: &str, status: &str) -> String {
    let fields = json!({"Subject": "A complaint", "ContactId": contact, "Status": status});
    sales::make(&office.lab, 0, "Case", fields).await
}

/// Under what each saved mail is filed, by its title.
fn filed(office: &Office) -> Vec<(String, Value)> {
    let text = |mail: &Value| mail["Subject"].as_str().unwrap_or_default().to_owned();
    let mut all: Vec<_> = saved(office)
        .iter()
        .map(|mail| (text(mail), mail["RelatedToId"].clone()))
        .collect();
    all.sort_by(|one, other| one.0.cmp(&other.0));
    all
}

async fn explained(office: &Office, row: &MailboxRow, item: &str) -> Explanation {
    let explained = explain::explain(&office.engine, row, item).await.unwrap();
    explained.unwrap()
}

/// One turn; then why mail was left alone.
async fn reasons(office: &Office, row: &MailboxRow) -> Vec<(Reason, u64)> {
    let counts = office.sync(row).await;
    let skipped = &counts[&RecordKind::Mail].skipped;
    skipped.iter().map(|(reason, count)| (*reason, *count)).collect()
}

#[tokio::test]
async fn a_mail_is_filed_under_the_one_open_opportunity_of_its_contact_and_explain_names_the_rule() {
    let rules = [MatchRule::Contact, MatchRule::Opportunity, MatchRule::Account];
    let (office, row) = office(&rules).await;
    let (address, contact) = known(&office, OutsiderKind::Contact);
    let open = deal(&office, &contact, "Prospecting").await;
    deal(&office, &contact, "Closed Lost").await;
    let item = Letter::from(&address, &row.mailbox.address).arrive(&office, &row);
    office.sync(&row).await;
    assert_eq!(filed(&office), [("Letter 1".to_owned(), json!(open))]);
    let said = explained(&office, &row, &item).await;
    assert_eq!(said.decided.as_deref(), Some("mail.matched (contact)"));
    let place = format!("Belongs under record {open}, by the rule opportunity.");
    assert!(said.notes.contains(&place), "{:?}", said.notes);
}

#[tokio::test]
async fn of_two_open_opportunities_none_is_taken_and_the_next_rule_files_the_mail() {
    let rules = [MatchRule::Opportunity, MatchRule::Account];
    let (office, row) = office(&rules).await;
    let (address, contact) = known(&office, OutsiderKind::Contact);
    for _ in 0..2 {
        deal(&office, &contact, "Prospecting").await;
    }
    let item = Letter::from(&address, &row.mailbox.address).arrive(&office, &row);
    office.sync(&row).await;
    let mails = saved(&office);
    let account = mails[0]["RelatedToId"].as_str().unwrap();
    assert!(account.starts_with("001"), "{account}");
    let said = explained(&office, &row, &item).await;
    let undecided = "The rule opportunity found several records, and so none.";
    assert!(
        said.notes.iter().any(|note| note == undecided),
        "{:?}",
        said.notes
    );
}

#[tokio::test]
async fn a_mail_is_filed_under_its_contacts_open_case_and_never_under_a_closed_one() {
    let rules = [MatchRule::Case, MatchRule::Contact];
    let (office, row) = office(&rules).await;
    let contacts: Vec<_> = office
        .lab
        .cast
        .outsiders
        .iter()
        .filter(|one| one.kind == OutsiderKind::Contact && one.owner == 0)
        .collect();
    let open = complaint(&office, &contacts[0].sf_id, "Working").await;
    complaint(&office, &contacts[1].sf_id, "Closed").await;
    for (number, contact) in [(1, contacts[0]), (2, contacts[1])] {
        let letter = Letter::from(&contact.email, &row.mailbox.address).number(number);
        letter.arrive(&office, &row);
    }
    office.sync(&row).await;
    let expected = [
        ("Letter 1".to_owned(), json!(open)),
        ("Letter 2".to_owned(), Value::Null),
    ];
    assert_eq!(filed(&office), expected);
}

fn field(object: &str, field: &str) -> MatchRule {
    MatchRule::Object(AddressField {
        object: ApiName::try_from(object.to_owned()).unwrap(),
        field: ApiName::try_from(field.to_owned()).unwrap(),
    })
}

#[tokio::test]
async fn a_record_of_any_object_that_has_a_strangers_address_takes_his_mail() {
    let (office, row) = office(&[field("Case", "SuppliedEmail")]).await;
    let fields = json!({"Subject": "By the web form", "SuppliedEmail": "walkin@nowhere.example"});
    let case = sales::make(&office.lab, 0, "Case", fields).await;
    let own = row.mailbox.address.clone();
    let item = Letter::from("WalkIn@nowhere.example", &own).arrive(&office, &row);
    Letter::from("other@nowhere.example", &own)
        .number(2)
        .arrive(&office, &row);
    assert_eq!(reasons(&office, &row).await, [(Reason::NobodyKnown, 1)]);
    assert_eq!(filed(&office), [("Letter 1".to_owned(), json!(case))]);
    let said = explained(&office, &row, &item).await;
    assert_eq!(said.decided.as_deref(), Some("mail.matched (object)"));
}

#[tokio::test]
async fn a_rule_that_names_what_the_crm_does_not_have_stops_mail_and_says_which() {
    for (object, column) in [("Case", "Nothing__c"), ("Nothing__c", "Email__c")] {
        let (office, row) = office(&[field(object, column)]).await;
        Letter::from(&customer(&office), &row.mailbox.address).arrive(&office, &row);
        let results = office.try_sync(&row).await;
        let mail = results.into_iter().find(|(kind, _)| *kind == RecordKind::Mail);
        match mail.unwrap().1 {
            Err(SyncError::Crm(CrmError::PlaceMissing { field })) => {
                assert_eq!(field, format!("{object}.{column}"));
            }
            other => panic!("{object}.{column}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn somebody_whom_no_rule_names_saves_no_mail() {
    let (office, row) = office(&[MatchRule::Contact]).await;
    let (lead, _) = known(&office, OutsiderKind::Lead);
    Letter::from(&lead, &row.mailbox.address).arrive(&office, &row);
    assert_eq!(reasons(&office, &row).await, [(Reason::NobodyKnown, 1)]);
}

/// The answer to a letter, from somebody whom the CRM does not know.
fn answer(row: &MailboxRow, number: u32, to: &str) -> Letter {
    let reply = Letter::from("assistant@nowhere.example", &row.mailbox.address).number(number);
    reply
        .head(&format!("In-Reply-To: {to}"))
        .head(&format!("References: <older@nowhere.example> {to}"))
}

#[tokio::test]
async fn an_answer_goes_where_its_thread_is_even_after_a_person_has_moved_it() {
    let (office, row) = with(Policy::default()).await;
    let (address, contact) = known(&office, OutsiderKind::Contact);
    Letter::from(&address, &row.mailbox.address).arrive(&office, &row);
    office.sync(&row).await;
    let moved_to = deal(&office, &contact, "Prospecting").await;
    let mail = saved(&office)[0]["Id"].as_str().unwrap().to_owned();
    sales::set(&office.lab, &mail, json!({"RelatedToId": moved_to}));
    let item = answer(&row, 2, "<letter-1@lab.example>").arrive(&office, &row);
    office.sync(&row).await;
    let (second, under) = filed(&office).remove(1);
    assert_eq!((second.as_str(), under), ("Letter 2", json!(moved_to)));
    let said = explained(&office, &row, &item).await;
    assert_eq!(said.decided.as_deref(), Some("mail.matched (thread)"));
}

#[tokio::test]
async fn a_thread_that_is_read_in_one_go_stays_together() {
    let (office, row) = with(Policy::default()).await;
    answer(&row, 3, "<letter-2@lab.example>").arrive(&office, &row);
    answer(&row, 2, "<letter-1@lab.example>").arrive(&office, &row);
    let yesterday = (chrono::Utc::now() - chrono::TimeDelta::days(1)).to_rfc2822();
    let first = Letter::from(&customer(&office), &row.mailbox.address).head(&format!("Date: {yesterday}"));
    first.arrive(&office, &row);
    answer(&row, 4, "<unheard-of@nowhere.example>").arrive(&office, &row);
    assert_eq!(reasons(&office, &row).await, [(Reason::NobodyKnown, 1)]);
    let filed = filed(&office);
    assert_eq!(filed.len(), 3, "{filed:?}");
    assert!(
        filed
            .iter()
            .all(|(_, under)| *under == filed[0].1 && under.is_string())
    );
}

#[tokio::test]
async fn without_the_rule_for_threads_a_strangers_answer_stays() {
    let (office, row) = office(&[MatchRule::Contact, MatchRule::Account]).await;
    Letter::from(&customer(&office), &row.mailbox.address).arrive(&office, &row);
    office.sync(&row).await;
    answer(&row, 2, "<letter-1@lab.example>").arrive(&office, &row);
    assert_eq!(reasons(&office, &row).await, [(Reason::NobodyKnown, 1)]);
}

#[tokio::test]
async fn with_an_allow_list_only_mail_with_one_of_its_names_is_saved() {
    let office = Office::open(2, 0).await;
    let outsiders = &office.lab.cast.outsiders;
    let (allowed, other) = (&outsiders[0].email, &outsiders[1].email);
    let mut policy = Policy::default();
    policy.mail.allow = vec![allowed.to_uppercase()];
    office.policy("mail", policy).await;
    let row = office.add_with(0, "mail").await;
    Letter::from(allowed, &row.mailbox.address).arrive(&office, &row);
    let kept = Letter::from(other, &row.mailbox.address).number(2);
    let item = kept.arrive(&office, &row);
    assert_eq!(reasons(&office, &row).await, [(Reason::NotAllowed, 1)]);
    assert_eq!(saved(&office).len(), 1);
    let said = explained(&office, &row, &item).await;
    assert_eq!(said.decided.as_deref(), Some("mail.allowed (mailbox)"));
}

/// A policy that saves mail of these categories and folders, and no other.
fn on_demand() -> Policy {
    let mut policy = Policy::default();
    policy.mail.on_demand.categories = vec!["Save to CRM".to_owned()];
    policy.mail.on_demand.folders = vec!["For the CRM".to_owned()];
    policy.mail.on_demand.only = true;
    policy
}

async fn categorise(office: &Office, id: &str, category: &str) {
    let change = format!(
        "<m:UpdateItem ConflictResolution=\"AlwaysOverwrite\" MessageDisposition=\"SaveOnly\"><m:ItemChanges>\
         <t:ItemChange>{}<t:Updates><t:SetItemField><t:FieldURI FieldURI=\"item:Categories\"/><t:Message>\
         <t:Categories><t:String>{category}</t:String></t:Categories></t:Message></t:SetItemField></t:Updates>\
         </t:ItemChange></m:ItemChanges></m:UpdateItem>",
        outlook::item(id)
    );
    Outlook::of(&office.lab, 0).ask(&change).await;
}

#[tokio::test]
async fn a_mail_is_saved_when_its_owner_gives_it_the_category_and_not_before() {
    let (office, row) = with(on_demand()).await;
    let own = row.mailbox.address.clone();
    let item = Letter::from("nobody@nowhere.example", &own).arrive(&office, &row);
    Letter::from(&customer(&office), &own)
        .number(2)
        .arrive(&office, &row);
    assert_eq!(reasons(&office, &row).await, [(Reason::NotMarked, 2)]);
    categorise(&office, &item, "save to crm").await;
    office.sync(&row).await;
    let titles: Vec<String> = filed(&office).into_iter().map(|(title, _)| title).collect();
    assert_eq!(titles, ["Letter 1"]);
    let said = explained(&office, &row, &item).await;
    assert_eq!(
        said.decided.as_deref(),
        Some("mail.on_demand (marked by its owner)")
    );
}

#[tokio::test]
async fn mail_that_is_put_into_the_drop_folder_is_saved_received_and_sent_wherever_the_folder_is() {
    let (office, row) = with(on_demand()).await;
    let own = row.mailbox.address.clone();
    let outlook = Outlook::of(&office.lab, 0);
    let (wanted, other) = (
        outlook
            .make_folder("msgfolderroot", "Folder", "for the crm")
            .await,
        outlook.make_folder("msgfolderroot", "Folder", "Other").await,
    );
    let letter = |from: &str, to: &str, number| Letter::from(from, to).number(number).arrive(&office, &row);
    let received = letter("nobody@nowhere.example", &own, 1);
    let sent = letter(&own, "nobody@nowhere.example", 2);
    let elsewhere = letter("nobody@nowhere.example", &own, 3);
    office.sync(&row).await;
    let [wanted, other] = [wanted, other].map(|id| outlook::folder(&id));
    outlook.move_to(&wanted, &received).await;
    outlook.move_to(&wanted, &sent).await;
    outlook.move_to(&other, &elsewhere).await;
    office.settle(&row).await;
    let mails = saved(&office);
    let mut incoming: Vec<_> = mails
        .iter()
        .map(|mail| (mail["Subject"].as_str().unwrap(), mail["Incoming"] == true))
        .collect();
    incoming.sort();
    assert_eq!(incoming, [("Letter 1", true), ("Letter 2", false)]);
}

#[tokio::test]
async fn what_lies_in_a_folder_already_is_saved_when_the_policy_comes_to_name_it() {
    let (office, row) = with(Policy::default()).await;
    let outlook = Outlook::of(&office.lab, 0);
    let wanted = outlook.make_folder("inbox", "Folder", "For the CRM").await;
    let item = Letter::from("nobody@nowhere.example", &row.mailbox.address).arrive(&office, &row);
    outlook.move_to(&outlook::folder(&wanted), &item).await;
    office.settle(&row).await;
    assert!(saved(&office).is_empty());
    office.policy("mail", on_demand()).await;
    office.settle(&row).await;
    assert_eq!(saved(&office).len(), 1);
}

#[tokio::test]
async fn explain_names_the_rule_that_keeps_a_mail_out() {
    let mut policy = Policy::default();
    policy.mail.block = vec!["nowhere.example".to_owned()];
    let (office, row) = with(policy).await;
    let item = Letter::from("nobody@nowhere.example", &row.mailbox.address).arrive(&office, &row);
    let said = explained(&office, &row, &item).await;
    assert_eq!(said.decided.as_deref(), Some("mail.not_blocked (mailbox)"));
    assert!(said.verdict.starts_with("skip"), "{}", said.verdict);
}

#[tokio::test]
async fn with_no_body_at_all_the_crm_learns_who_wrote_to_whom_and_when_and_not_what() {
    let mut policy = Policy::default();
    policy.mail.body = MailBody::None;
    let (office, row) = with(policy).await;
    let (address, contact) = known(&office, OutsiderKind::Contact);
    Letter::from(&address, &row.mailbox.address).arrive(&office, &row);
    office.sync(&row).await;
    let mails = saved(&office);
    assert_eq!(mails.len(), 1);
    assert!(related(&office, &mails[0]).contains(&contact) && mails[0]["MessageDate"].is_string());
    let everything = office.lab.parts.salesforce.content().to_string();
    assert!(!everything.contains(WORDS) && !everything.contains("Letter 1"));
}
