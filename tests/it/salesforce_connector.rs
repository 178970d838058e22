//! The Salesforce connector against the lab's org: the contract of every CRM, and what is Salesforce's own.

use crate::crm_contract::samples::{contact, key, mail};
use crate::crm_contract::{Known, Stage, crm_contract};
use crate::salesforce_org::{Org, keyed, senders, tasks};
use holdfast::crm::model::{CrmId, CrmUser, CrmWrite};
use holdfast::crm::port::Crm;
use holdfast::crm::salesforce::Flow;
use holdfast::foundation::content::Content;
use holdfast::foundation::secret::Secret;
use holdfast::record::Record;
use holdfast::record::kind::RecordKind;
use holdfast_lab::cast::OutsiderKind;
use holdfast_lab::salesforce::app;

async fn stage() -> Stage {
    let org = Org::up().await;
    let colleague = &org.lab.cast.people[1];
    Stage {
        crm: org.crm.clone(),
        user: org.user.clone(),
        colleague: Known {
            address: colleague.smtp.clone(),
            id: CrmId(colleague.sf_user_id.clone()),
        },
        contact: org.known(OutsiderKind::Contact, 0),
        another_contact: org.known(OutsiderKind::Contact, 1),
        lead: org.known(OutsiderKind::Lead, 0),
        stranger: org.lab.cast.strangers[0].email.clone(),
        realm: String::new(),
        exact: true,
        _keep: Box::new(org.lab),
    }
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
        a_text_that_is_too_long_is_refused_and_its_neighbours_are_not,
        people_are_known_by_their_addresses_and_strangers_are_not,
        of_two_contacts_with_one_address_the_older_comes_first_and_both_before_a_lead,
        attendees_whom_the_crm_knows_are_linked_and_change_as_told,
        answers_are_set_as_told_and_nobody_is_asked_or_taken_off_with_them,
        a_private_event_is_private_to_others,
        a_mail_is_written_once_and_keeps_its_people,
        a_user_whom_the_crm_does_not_know_is_refused_in_words,
        a_probe_says_who_the_user_is_and_how_many_calls_are_used,
    ]
);

async fn thousand_mails(org: &Org) -> Vec<CrmWrite> {
    let outsiders = &org.lab.cast.outsiders;
    let mut writes = Vec::new();
    let mut addresses: Vec<Content<String>> = Vec::new();
    for n in 0..1000 {
        let from = format!("somebody.{n}@unknown.example");
        let to = &outsiders[n % outsiders.len()].email;
        addresses.push(from.as_str().into());
        addresses.push(to.as_str().into());
        let mut mail = match n % 2 {
            0 => mail(to, &[&from]),
            _ => mail(&from, &[to]),
        };
        mail.message_id = Some(format!("<{n}@mail.example>").into());
        writes.push((n, mail));
    }
    let known = org.crm.who_is(&org.user, &addresses).await.expect("answered");
    let matches: Vec<_> = known.into_iter().filter(|known| !known.who.is_empty()).collect();
    let create = |(n, mail): (usize, _)| CrmWrite::Create {
        key: key(&format!("mail {n}")),
        record: Record::Email(Box::new(mail)),
        matches: matches.clone(),
    };
    writes.into_iter().map(create).collect()
}

#[tokio::test]
async fn a_thousand_mails_cost_fifteen_calls_at_most_and_their_senders_are_linked() {
    let org = Org::up().await;
    org.crm.capabilities(&org.user).await.expect("described");
    let (before, _) = org.crm.calls().expect("counted");
    let writes = thousand_mails(&org).await;
    let fates = org
        .crm
        .write(&org.user, RecordKind::Mail, &writes)
        .await
        .expect("answered");
    let (after, _) = org.crm.calls().expect("counted");
    assert!(fates.iter().all(Result::is_ok));
    assert!(after - before <= 15, "{} calls", after - before);
    assert_eq!(keyed(&org.lab, "EmailMessage"), 1000);
    assert_eq!(senders(&org.lab), 500);
}

#[tokio::test]
async fn with_an_integration_user_a_record_belongs_to_the_person_all_the_same() {
    let flow = Flow::ClientCredentials {
        secret: Secret::new(app::CLIENT_SECRET.to_owned()),
    };
    let org = Org::with(flow).await;
    let nameless = CrmUser {
        id: None,
        ..org.user.clone()
    };
    let fates = org
        .crm
        .write(&nameless, RecordKind::Tasks, &tasks(1))
        .await
        .expect("answered");
    let id = fates[0].as_ref().expect("written").id.clone();
    let found = org
        .crm
        .read(&nameless, RecordKind::Tasks, &[id])
        .await
        .expect("read");
    let owner = found[0].as_ref().and_then(|record| record.owner.clone());
    assert_eq!(owner, org.user.id);
}

#[tokio::test]
async fn a_contact_joins_the_account_of_exactly_its_companys_name() {
    let org = Org::up().await;
    let company = &org.lab.cast.accounts[0];
    let mut known = contact();
    known.company = company.name.as_str().into();
    let mut unknown = contact();
    unknown.company = "No Such Company".into();
    for (name, record, expected) in [("known", known, true), ("unknown", unknown, false)] {
        let id = org
            .create(name, Record::Contact(record))
            .await
            .expect("written")
            .id;
        let found = org
            .crm
            .read(&org.user, RecordKind::Contacts, &[id])
            .await
            .expect("read");
        let Some(Record::Contact(found)) = found.into_iter().next().flatten().map(|found| found.record)
        else {
            panic!("a contact")
        };
        assert_eq!(*found.company.expose() == company.name, expected);
    }
}
