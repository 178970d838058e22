//! The rules as tables, and what holds for any mail.

use super::*;
use crate::crm::filing::{Filed, PlaceBy, PlaceId};
use crate::crm::model::{CrmId, Match, Who, WhoKind};
use crate::record::email::{Direction, Email};
use crate::record::event::{Sensitivity, ShowAs, When};
use crate::sync::matching::{Matched, Places, matched};
use crate::sync::policy::{MailPolicy, MatchRule};
use chrono::{DateTime, Utc};
use proptest::prelude::*;
use std::collections::HashSet;

const OWNER: &str = "ada@corp.example";

fn now() -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::days(20_000)
}

fn mail(from: &str, to: &[&str]) -> Email {
    Email {
        message_id: Some("<1@x>".into()),
        direction: Direction::Received,
        subject: "Offer".into(),
        from: Some(Person::at(from)),
        to: to.iter().map(|address| Person::at(*address)).collect(),
        cc: Vec::new(),
        bcc: Vec::new(),
        at: now(),
        text: "Words".into(),
        html: Content::default(),
        sensitivity: Sensitivity::Normal,
        protection: None,
        is_draft: false,
        is_report: false,
        attachments: 0,
        references: Vec::new(),
        categories: Vec::new(),
        dropped: false,
    }
}

/// The CRM knows these, each as these kinds; contacts belong to an account.
fn known(people: &[(&str, &[WhoKind])]) -> Known {
    let mut known = Known::default();
    let who = |address: &str, kind: WhoKind| Who {
        kind,
        id: CrmId(format!("{kind:?} {address}")),
        account: (kind == WhoKind::Contact).then(|| CrmId(format!("account of {address}"))),
    };
    known.add(people.iter().map(|(address, kinds)| Match {
        address: Content::from(*address),
        who: kinds.iter().map(|kind| who(address, *kind)).collect(),
    }));
    known
}

/// Why a mail is left alone; `None` where it is saved.
fn left(email: &Email, policy: MailPolicy, known: &Known) -> Option<Reason> {
    left_by(email, policy, known, false)
}

/// The same, by a CRM that keeps mail under records only, or not.
fn left_by(email: &Email, policy: MailPolicy, known: &Known, mail_needs_record: bool) -> Option<Reason> {
    let policy = Policy {
        mail: policy,
        ..Policy::default()
    };
    let context = RuleContext {
        policy: &policy,
        now: now(),
        owner: &OWNER.into(),
        synchronised: &HashSet::new(),
        known,
        places: &Places::default(),
        marks: Marks::default(),
        mail_needs_record,
    };
    scope(&Record::Email(Box::new(email.clone())), Side::Mailbox, &context).reason()
}

fn of(email: &Email, rules: &[MatchRule], known: &Known, places: &Places) -> Matched {
    let who = |key: &Content<String>| known.get(key);
    matched(email, rules, &OWNER.into(), who, places)
}

fn customer() -> Known {
    known(&[("rita@out.example", &[WhoKind::Contact])])
}

#[test]
fn a_marked_mail_that_nobody_known_is_in_is_left_by_a_crm_that_needs_a_record_for_it() {
    let marked = |from: &str| Email {
        dropped: true,
        ..mail(from, &[OWNER])
    };
    let left = |from: &str, needs| left_by(&marked(from), MailPolicy::default(), &customer(), needs);
    assert_eq!(left("stranger@out.example", false), None);
    assert_eq!(left("stranger@out.example", true), Some(Reason::NobodyKnown));
    assert_eq!(left("rita@out.example", true), None);
    let colleague = known(&[("ben@corp.example", &[WhoKind::User])]);
    let of_colleague = left_by(
        &marked("ben@corp.example"),
        MailPolicy::default(),
        &colleague,
        true,
    );
    assert_eq!(of_colleague, Some(Reason::NobodyKnown));
}

#[test]
fn lists_name_addresses_and_domains_in_any_case_and_with_or_without_an_at_sign() {
    let email = mail("rita@out.example", &[OWNER]);
    for (entry, named) in [
        ("rita@out.example", true),
        (" RITA@Out.example ", true),
        ("out.example", true),
        ("@OUT.example", true),
        ("t.example", false),
        ("sub.out.example", false),
        ("a@out.example", false),
        ("", false),
    ] {
        let list = vec![entry.to_owned()];
        let blocked = MailPolicy {
            block: list.clone(),
            ..MailPolicy::default()
        };
        let expected = named.then_some(Reason::Blocked);
        assert_eq!(left(&email, blocked, &customer()), expected, "{entry}");
        let allowed = MailPolicy {
            allow: list,
            ..MailPolicy::default()
        };
        let expected = (!named).then_some(Reason::NotAllowed);
        assert_eq!(left(&email, allowed, &customer()), expected, "{entry}");
    }
}

#[test]
fn a_mark_overrules_who_is_in_a_mail_and_when_it_was_and_nothing_else() {
    let mut policy = MailPolicy::default();
    policy.on_demand.categories = vec!["Save".to_owned()];
    let nobody = Known::default();
    let saved = |email: &Email| left(email, policy.clone(), &nobody);
    let marked = |from: &str| Email {
        categories: vec![" SAVE ".into()],
        ..mail(from, &[OWNER])
    };
    assert_eq!(saved(&mail("x@y.example", &[OWNER])), Some(Reason::NobodyKnown));
    assert_eq!(saved(&marked("x@y.example")), None);
    assert_eq!(saved(&marked("ben@corp.example")), None);
    let old = Email {
        at: now() - TimeDelta::days(5000),
        ..marked("x@y.example")
    };
    assert_eq!(saved(&old), None);
    let private = Email {
        sensitivity: Sensitivity::Private,
        ..marked("x@y.example")
    };
    assert_eq!(saved(&private), Some(Reason::Private));
    let draft = Email {
        is_draft: true,
        ..marked("x@y.example")
    };
    assert_eq!(saved(&draft), Some(Reason::Draft));
    policy.block = vec!["y.example".to_owned()];
    let blocked = left(&marked("x@y.example"), policy, &nobody);
    assert_eq!(blocked, Some(Reason::Blocked));
}

#[test]
fn where_only_marked_mail_is_saved_a_known_customers_is_not() {
    let mut policy = MailPolicy::default();
    policy.on_demand.only = true;
    let email = mail("rita@out.example", &[OWNER]);
    assert_eq!(left(&email, policy.clone(), &customer()), Some(Reason::NotMarked));
    let dropped = Email {
        dropped: true,
        ..email
    };
    assert_eq!(left(&dropped, policy, &customer()), None);
}

#[test]
fn the_first_rule_that_finds_anything_decides_and_the_first_that_names_a_record_files() {
    use MatchRule::{Account, Case, Contact, Lead, Opportunity};
    let known = known(&[("rita@out.example", &[WhoKind::Contact, WhoKind::Lead])]);
    let mut places = Places::default();
    let rita = || Content::from("rita@out.example");
    let ids = |ids: &[&str]| ids.iter().map(|id| PlaceId((*id).to_owned())).collect();
    places.found(&PlaceBy::Opportunity, rita(), ids(&["006"]));
    places.found(&PlaceBy::Case, rita(), ids(&["500", "501"]));
    let email = mail("rita@out.example", &[OWNER]);
    let account = Some("account of rita@out.example");
    for (rules, by, under) in [
        (vec![Contact, Account], Some("contact"), account),
        (vec![Account, Contact], Some("account"), account),
        (vec![Lead], Some("lead"), None),
        (vec![Opportunity, Account], Some("opportunity"), Some("006")),
        (vec![Account, Opportunity], Some("account"), account),
        // Two open cases: to take one would be to guess.
        (vec![Case, Opportunity], Some("opportunity"), Some("006")),
        (vec![Case], None, None),
        (vec![], None, None),
    ] {
        let found = of(&email, &rules, &known, &places);
        let place = found.under.as_ref().map(|(_, place)| place.0.as_str());
        assert_eq!((found.by, place), (by, under), "{rules:?}");
        let undecided = found.undecided.contains(&"case");
        assert_eq!(undecided, rules.contains(&Case), "{rules:?}");
    }
}

#[test]
fn an_answer_goes_where_the_nearest_filed_mail_of_its_thread_is() {
    let mut places = Places::default();
    let place = |id: &str| {
        let under = Some(PlaceId(id.to_owned()));
        Some(Filed { under })
    };
    places.thread("<1@x>".into(), place("far"));
    places.thread("<2@x>".into(), place("near"));
    places.thread("<3@x>".into(), Some(Filed::default()));
    places.thread("<4@x>".into(), None);
    let answer = |references: &[&str]| Email {
        references: references.iter().map(|id| Content::from(*id)).collect(),
        ..mail("stranger@out.example", &[OWNER])
    };
    for (references, by, under) in [
        (vec!["<1@x>", "<2@x>"], Some("thread"), Some("near")),
        (vec!["<2@x>", "<1@x>"], Some("thread"), Some("far")),
        (vec!["<1@x>", "<3@x>", "<4@x>"], Some("thread"), Some("far")),
        (vec!["<3@x>"], Some("thread"), None),
        (vec!["<4@x>", "<5@x>"], None, None),
        (vec![], None, None),
    ] {
        let email = answer(&references);
        let found = of(&email, &[MatchRule::Thread], &Known::default(), &places);
        let place = found.under.as_ref().map(|(_, place)| place.0.as_str());
        assert_eq!((found.by, place), (by, under), "{references:?}");
    }
}

#[test]
fn the_less_a_policy_saves_of_a_mail_the_less_is_left_of_it() {
    for (body, title, words) in [
        (MailBody::Full, true, true),
        (MailBody::HeaderOnly, true, false),
        (MailBody::None, false, false),
    ] {
        let mut policy = Policy::default();
        policy.mail.body = body;
        let mut record = Record::Email(Box::new(mail("rita@out.example", &[OWNER])));
        assert_eq!(mask(&mut record, &policy), !words, "{body:?}");
        let Record::Email(email) = record else {
            panic!("a mail")
        };
        assert_eq!(email.subject.expose().is_empty(), !title, "{body:?}");
        assert_eq!(email.text.expose().is_empty(), !words, "{body:?}");
        assert!(email.from.is_some(), "{body:?}");
    }
}

#[test]
fn a_mask_leaves_of_a_private_event_when_it_is_and_nothing_that_tells_what() {
    let mut policy = Policy::default();
    policy.calendar.private = PrivateItems::Mask;
    let when = When::Timed {
        start: now(),
        end: now() + TimeDelta::hours(1),
    };
    let mut record = Record::Event(Event {
        meeting_id: None,
        place: Place::Single,
        subject: "Doctor".into(),
        body: "X-rays".into(),
        location: "Ward 9".into(),
        when: when.clone(),
        zone: None,
        show_as: ShowAs::Busy,
        sensitivity: Sensitivity::Private,
        reminder_minutes: Some(15),
        is_organizer: true,
        organizer: None,
        attendees: Vec::new(),
        groups: Vec::new(),
        cancelled: false,
    });
    assert!(mask(&mut record, &policy));
    let Record::Event(event) = record else {
        panic!("an event")
    };
    assert!(event.when == when && event.body.is_empty() && event.location.is_empty());
    assert_eq!(event.subject.expose(), "Private appointment");
}

const PEOPLE: [&str; 5] = [
    OWNER,
    "ben@corp.example",
    "rita@out.example",
    "lee@lead.example",
    "x@nowhere.example",
];

/// A mail as it is drawn; the mail itself cannot be printed.
#[derive(Clone, Debug)]
struct Drawn {
    from: usize,
    to: Vec<usize>,
    is_draft: bool,
    is_report: bool,
    private: bool,
    sent: bool,
    days_old: i64,
}

impl Drawn {
    fn mail(&self, dropped: bool) -> Email {
        let to: Vec<&str> = self.to.iter().map(|at| PEOPLE[*at]).collect();
        Email {
            is_draft: self.is_draft,
            is_report: self.is_report,
            sensitivity: match self.private {
                true => Sensitivity::Private,
                false => Sensitivity::Normal,
            },
            direction: match self.sent {
                true => Direction::Sent,
                false => Direction::Received,
            },
            at: now() - TimeDelta::days(self.days_old),
            dropped,
            ..mail(PEOPLE[self.from], &to)
        }
    }
}

fn any_mail() -> impl Strategy<Value = Drawn> {
    let people = proptest::collection::vec(0..PEOPLE.len(), 0..4);
    let flags = proptest::array::uniform4(proptest::bool::weighted(0.2));
    (0..PEOPLE.len(), people, flags, 0_i64..500).prop_map(|(from, to, flags, days_old)| {
        let [is_draft, is_report, private, sent] = flags;
        Drawn {
            from,
            to,
            is_draft,
            is_report,
            private,
            sent,
            days_old,
        }
    })
}

fn everybody() -> Known {
    known(&[
        ("rita@out.example", &[WhoKind::Contact]),
        ("lee@lead.example", &[WhoKind::Lead]),
        ("ben@corp.example", &[WhoKind::User]),
    ])
}

fn has(email: &Email, addresses: &[&str]) -> bool {
    people_of(email).any(|person| addresses.contains(&person.key().expose().as_str()))
}

proptest! {
    #[test]
    fn no_mark_saves_a_draft_a_report_or_what_is_private_or_blocked(drawn in any_mail()) {
        let email = drawn.mail(true);
        let policy = MailPolicy { block: vec!["lead.example".to_owned()], ..MailPolicy::default() };
        let kept_out = drawn.is_draft || drawn.is_report || drawn.private || has(&email, &["lee@lead.example"]);
        prop_assert_eq!(left(&email, policy, &everybody()).is_some(), kept_out);
    }

    #[test]
    fn a_mark_never_keeps_a_mail_out(drawn in any_mail()) {
        let saved = |dropped| left(&drawn.mail(dropped), MailPolicy::default(), &everybody()).is_none();
        prop_assert!(saved(true) || !saved(false));
    }

    #[test]
    fn what_is_saved_unmarked_has_somebody_from_outside_in_it_whom_the_crm_knows(drawn in any_mail()) {
        let email = drawn.mail(false);
        if left(&email, MailPolicy::default(), &everybody()).is_none() {
            prop_assert!(has(&email, &["rita@out.example", "lee@lead.example"]));
        }
    }

    #[test]
    fn another_order_of_the_rules_saves_the_same_mail(drawn in any_mail(), turned in 0_usize..4) {
        let mut rules = MailPolicy::default().matching;
        let email = drawn.mail(false);
        let usual = of(&email, &rules, &everybody(), &Places::default()).by.is_some();
        rules.rotate_left(turned);
        prop_assert_eq!(of(&email, &rules, &everybody(), &Places::default()).by.is_some(), usual);
    }
}
