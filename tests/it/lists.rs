//! Contacts from a list of the CRM: what is in it comes, what leaves it is handled as the policy says.

use crate::harness::Office;
use crate::harness::acts::made_by_owner;
use crate::harness::office::subject;
use crate::harness::sales;
use chrono::Utc;
use holdfast::foundation::clock::Clock;
use holdfast::foundation::explain::Explain as _;
use holdfast::record::Record;
use holdfast::record::contact::Contact;
use holdfast::record::kind::RecordKind;
use holdfast::sync::explain::explain;
use holdfast::sync::policy::{OutOfScope, Policy};
use holdfast::sync::store::mailboxes::MailboxRow;
use serde_json::json;
use std::time::Duration;

const CONTACTS: RecordKind = RecordKind::Contacts;
const LIST: &str = "00B5f000001AAAAEA4";
const A_DAY: Duration = Duration::from_secs(86_500);

/// A person whose own contacts are in the list where they are key accounts.
struct Book {
    office: Office,
    row: MailboxRow,
}

impl Book {
    async fn open(choice: OutOfScope) -> Self {
        let mut office = Office::open(2, 0).await;
        office.engine.clock = Clock::manual(Utc::now());
        office.administrate(
            "PATCH",
            "/salesforce/settings",
            &json!({"list_views": {LIST: "SELECT Name, Id FROM Contact USING SCOPE mine WHERE Department = 'Key' \
                OR Account.Name = 'Key' ORDER BY Name ASC NULLS FIRST, Id ASC NULLS FIRST"}}),
        );
        office.policy("house", from_list(LIST, choice)).await;
        let row = office.add_with(0, "house").await;
        Self { office, row }
    }

    async fn make(&self, name: &str, department: &str, person: usize) -> String {
        let fields = json!({
            "LastName": name,
            "Email": format!("{}@elsewhere.example", name.to_lowercase()),
            "Department": department,
        });
        sales::make(&self.office.lab, person, "Contact", fields).await
    }

    /// The names of the cards that the mailbox has.
    async fn cards(&self) -> Vec<String> {
        let items = self.office.items(&self.row, CONTACTS).await;
        let mut names: Vec<String> = items
            .iter()
            .map(|item| subject(&item.record).to_owned())
            .collect();
        names.sort();
        names
    }

    async fn settle(&self) {
        self.office.settle(&self.row).await;
    }
}

fn from_list(list: &str, choice: OutOfScope) -> Policy {
    let mut policy = Policy::default();
    policy.contacts.list = Some(list.to_owned());
    policy.contacts.common.out_of_scope = choice;
    policy
}

#[tokio::test]
async fn only_the_users_own_contacts_that_are_in_the_list_come_to_the_mailbox() {
    let book = Book::open(OutOfScope::Keep).await;
    book.make("Lovelace", "Key", 0).await;
    let other = book.make("Byron", "Other", 0).await;
    book.make("Somerville", "Key", 1).await;
    book.settle().await;
    assert_eq!(book.cards().await, ["Lovelace"]);
    let said = explain(&book.office.engine, &book.row, &other)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(said.decided.as_deref(), Some("contacts.list (crm)"), "{said:?}");
    // He comes into it by an edit.
    sales::set(&book.office.lab, &other, json!({"Department": "Key"}));
    book.settle().await;
    assert_eq!(book.cards().await, ["Byron", "Lovelace"]);
}

#[tokio::test]
async fn a_contact_that_leaves_the_list_takes_its_card_along_where_the_policy_removes_and_not_where_it_keeps()
{
    for (choice, left) in [(OutOfScope::Remove, 0), (OutOfScope::Keep, 1)] {
        let book = Book::open(choice).await;
        let id = book.make("Lovelace", "Key", 0).await;
        book.settle().await;
        sales::set(&book.office.lab, &id, json!({"Department": "Other"}));
        book.settle().await;
        assert_eq!(book.cards().await.len(), left, "{choice:?}");
        let records = book.office.records(&book.row, CONTACTS).await;
        assert!(
            records.iter().any(|record| record.id.0 == id),
            "the original stays"
        );
    }
}

#[tokio::test]
async fn a_card_of_the_mailbox_crosses_though_its_record_is_not_in_the_list_and_goes_on_both_ways() {
    let book = Book::open(OutOfScope::Remove).await;
    let card = Record::Contact(Contact {
        family_name: "Babbage".into(),
        email: "babbage@elsewhere.example".into(),
        ..Contact::default()
    });
    book.office
        .in_mailbox(&book.row, CONTACTS, made_by_owner(card))
        .await;
    book.settle().await;
    let records = book.office.records(&book.row, CONTACTS).await;
    let made = records.iter().find(|record| subject(&record.record) == "Babbage");
    let id = made.expect("a record of the card").id.0.clone();
    sales::set(&book.office.lab, &id, json!({"LastName": "Babbage-Herschel"}));
    book.settle().await;
    assert_eq!(book.cards().await, ["Babbage-Herschel"]);
}

#[tokio::test]
async fn what_comes_into_the_list_or_leaves_it_without_being_changed_is_found_within_a_day() {
    let book = Book::open(OutOfScope::Remove).await;
    let account = sales::make(&book.office.lab, 0, "Account", json!({"Name": "Plain"})).await;
    let id = book.make("Lovelace", "Other", 0).await;
    sales::set(&book.office.lab, &id, json!({"AccountId": account}));
    book.settle().await;
    assert_eq!(book.cards().await.len(), 0);
    // What was just changed is shown again for a while.
    for _ in 0..2 {
        book.office.lab.parts.clock.advance(Duration::from_secs(1_200));
        book.settle().await;
    }
    sales::set(&book.office.lab, &account, json!({"Name": "Key"}));
    book.settle().await;
    assert_eq!(book.cards().await.len(), 0, "no feed tells of it");
    book.office.engine.clock.advance(A_DAY);
    book.settle().await;
    assert_eq!(book.cards().await, ["Lovelace"]);
    sales::set(&book.office.lab, &account, json!({"Name": "Plain"}));
    book.office.engine.clock.advance(A_DAY);
    book.settle().await;
    assert_eq!(book.cards().await.len(), 0);
}

#[tokio::test]
async fn a_policy_without_the_list_brings_the_others_and_one_with_it_lets_them_go_again() {
    let book = Book::open(OutOfScope::Remove).await;
    book.make("Lovelace", "Key", 0).await;
    book.make("Byron", "Other", 0).await;
    book.settle().await;
    assert_eq!(book.cards().await, ["Lovelace"]);
    let mut all = from_list(LIST, OutOfScope::Remove);
    all.contacts.list = None;
    book.office.policy("house", all).await;
    book.settle().await;
    let both = book.cards().await;
    assert!(
        both.contains(&"Byron".to_owned()) && both.contains(&"Lovelace".to_owned()),
        "{both:?}"
    );
    book.office
        .policy("house", from_list(LIST, OutOfScope::Remove))
        .await;
    book.settle().await;
    assert_eq!(book.cards().await, ["Lovelace"]);
}

#[tokio::test]
async fn a_list_that_is_not_there_stops_the_contacts_alone_and_says_so() {
    let book = Book::open(OutOfScope::Remove).await;
    book.make("Lovelace", "Key", 0).await;
    book.settle().await;
    for wrong in ["00B5f000001ZZZZEA4", "no id' OR Id != ''"] {
        book.office
            .policy("house", from_list(wrong, OutOfScope::Remove))
            .await;
        let turns = book.office.try_sync(&book.row).await;
        let failed: Vec<_> = turns
            .iter()
            .filter_map(|(kind, turn)| Some((*kind, turn.as_ref().err()?.code())))
            .collect();
        assert_eq!(failed, [(CONTACTS, "crm.list_missing")]);
        assert_eq!(book.cards().await, ["Lovelace"]);
    }
}
