//! Who people are to the CRM, and who the user is.

use super::Stage;
use super::samples::{answered, attendee, contact, event};
use holdfast::crm::error::CrmError;
use holdfast::crm::model::{CrmId, CrmUser, WhoKind};
use holdfast::foundation::content::Content;
use holdfast::foundation::failure::Class;
use holdfast::record::Record;
use holdfast::record::contact::Contact;
use holdfast::record::event::{Event, Response};
use holdfast::record::field::{Field, FieldSet};
use holdfast::record::kind::RecordKind;

pub async fn people_are_known_by_their_addresses_and_strangers_are_not(stage: Stage) {
    let asked = [
        stage.contact.address.to_uppercase(),
        stage.stranger.clone(),
        stage.lead.address.clone(),
        stage.colleague.address.clone(),
        "it's \\ no address".to_owned(),
    ];
    let addresses: Vec<Content<String>> = asked.iter().map(|address| address.as_str().into()).collect();
    for round in ["asked", "remembered"] {
        let found = stage.crm.who_is(&stage.user, &addresses).await.expect("answered");
        let kinds: Vec<Option<WhoKind>> = found
            .iter()
            .map(|known| known.who.first().map(|who| who.kind))
            .collect();
        let expected = [
            Some(WhoKind::Contact),
            None,
            Some(WhoKind::Lead),
            Some(WhoKind::User),
            None,
        ];
        assert_eq!(kinds, expected, "{round}");
        assert_eq!(found[0].who[0].id, stage.contact.id);
        assert_eq!(found[2].who[0].id, stage.lead.id);
        assert_eq!(found[3].who[0].id, stage.colleague.id);
    }
}

pub async fn of_two_contacts_with_one_address_the_older_comes_first_and_both_before_a_lead(stage: Stage) {
    let addresses = [Content::from(stage.lead.address.as_str())];
    let before = stage.crm.who_is(&stage.user, &addresses).await.expect("answered");
    assert_eq!(before[0].who.len(), 1);
    let mut ids = Vec::new();
    for name in ["older", "younger"] {
        let record = Record::Contact(Contact {
            email: stage.lead.address.as_str().into(),
            ..contact()
        });
        ids.push(stage.create(name, record).await.expect("written").id);
    }
    let after = stage.crm.who_is(&stage.user, &addresses).await.expect("answered");
    let found: Vec<(WhoKind, &CrmId)> = after[0].who.iter().map(|who| (who.kind, &who.id)).collect();
    let expected = [
        (WhoKind::Contact, &ids[0]),
        (WhoKind::Contact, &ids[1]),
        (WhoKind::Lead, &stage.lead.id),
    ];
    assert_eq!(found, expected);
}

pub async fn attendees_whom_the_crm_knows_are_linked_and_change_as_told(stage: Stage) {
    let (contact, another, lead, colleague) = (
        stage.contact.address.as_str(),
        stage.another_contact.address.as_str(),
        stage.lead.address.as_str(),
        stage.colleague.address.as_str(),
    );
    let with = |people: &[&str]| {
        Record::Event(Event {
            attendees: people.iter().copied().map(attendee).collect(),
            ..event()
        })
    };
    let created = with(&[contact, lead, colleague, &stage.stranger]);
    let id = stage.create("meeting", created).await.expect("written").id;
    let kinds = stage.capabilities().await.attendee_kinds;
    // Whom the CRM cannot link to an event it does not tell of either.
    let linked = |people: &[&str]| {
        let can_be = |address: &&str| *address != lead || kinds.contains(&WhoKind::Lead);
        with(&people.iter().copied().filter(can_be).collect::<Vec<_>>())
    };
    let attendees = FieldSet::of(&[Field::Attendees]);
    let steps: [&[&str]; 4] = [&[another, colleague], &[contact, lead], &[], &[colleague]];
    stage
        .assert_same(
            RecordKind::Calendar,
            &linked(&[contact, lead, colleague]),
            &stage.record(RecordKind::Calendar, &id).await,
            "a create",
        )
        .await;
    for step in steps {
        stage.update(&id, attendees, with(step)).await.expect("updated");
        let after = format!("an update to {} attendees", step.len());
        stage
            .assert_same(
                RecordKind::Calendar,
                &linked(step),
                &stage.record(RecordKind::Calendar, &id).await,
                &after,
            )
            .await;
    }
}

pub async fn answers_are_set_as_told_and_nobody_is_asked_or_taken_off_with_them(stage: Stage) {
    use Response::{Accepted, Declined, None, Tentative};
    let (contact, another, colleague) = (
        stage.contact.address.as_str(),
        stage.another_contact.address.as_str(),
        stage.colleague.address.as_str(),
    );
    let with = |answers: &[(&str, Response)]| {
        Record::Event(Event {
            attendees: answers.iter().map(|(who, said)| answered(who, *said)).collect(),
            ..event()
        })
    };
    let first = [(contact, Accepted), (another, None), (colleague, Declined)];
    let id = stage.create("answered", with(&first)).await.expect("written").id;
    let kind = RecordKind::Calendar;
    let read = stage.record(kind, &id).await;
    stage.assert_same(kind, &with(&first), &read, "a create").await;
    for said in [
        [Declined, Accepted, None],
        [None, Tentative, Accepted],
        [None, None, None],
    ] {
        let people = [contact, another, colleague];
        let told: Vec<(&str, Response)> = people.into_iter().zip(said).collect();
        // Somebody who is missing in what is told of the answers is no less a guest, and who is new is none yet.
        let answers = FieldSet::of(&[Field::Responses]);
        let some = [&told[..2], &[(stage.stranger.as_str(), Accepted)]].concat();
        stage.update(&id, answers, with(&some)).await.expect("updated");
        stage.update(&id, answers, with(&told)).await.expect("updated");
        let read = stage.record(kind, &id).await;
        stage.assert_same(kind, &with(&told), &read, "an update").await;
    }
    let fewer = with(&[(another, Accepted)]);
    let both = FieldSet::of(&[Field::Attendees, Field::Responses]);
    stage.update(&id, both, fewer.clone()).await.expect("updated");
    let read = stage.record(kind, &id).await;
    stage.assert_same(kind, &fewer, &read, "fewer people").await;
}

pub async fn a_user_whom_the_crm_does_not_know_is_refused_in_words(stage: Stage) {
    let nobody = CrmUser {
        username: "nobody@nowhere.example".to_owned(),
        id: None,
        list: None,
    };
    let error = stage.crm.probe(&nobody).await.expect_err("refused");
    assert!(matches!(error, CrmError::UserRefused { .. }), "{error}");
    assert_eq!(error.class(), Class::SignInExpired);
}

pub async fn a_probe_says_who_the_user_is_and_how_many_calls_are_used(stage: Stage) {
    let probe = stage.crm.probe(&stage.user).await.expect("a good user");
    assert_eq!(Some(probe.user), stage.user.id);
    let (used, allowed) = probe.calls.expect("the CRM says");
    assert!(used > 0 && used < allowed);
    assert_eq!(stage.crm.calls(), Some((used, allowed)));
}
