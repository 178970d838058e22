//! What people and operators do in tests: things that they make, rights that they hold, answers that are cut.

use super::Office;
use holdfast::access::principal::Principal;
use holdfast::access::resource::Resource;
use holdfast::access::{Granted, Right, authorize};
use holdfast::crm::model::{CrmWrite, ExternalKey};
use holdfast::mailbox::model::{MailboxWrite, Stamp};
use holdfast::record::Record;
use holdfast::record::event::{Event, Place, Sensitivity, ShowAs, When};
use holdfast::record::task::Task;
use holdfast_lab::faults::{Fault, Rule, Side};
use holdfast_lab::salesforce::control::answer;
use serde_json::Value;

/// A right, as a local operator holds it.
pub fn granted<R: Right>(right: R) -> Granted<R> {
    let operator = Principal::LocalOperator { user: "test".into() };
    authorize(&operator, right, Resource::Appliance).unwrap()
}

/// A task of this title and nothing else.
pub fn task(title: &str) -> Record {
    Record::Task(Task {
        subject: title.into(),
        ..Task::default()
    })
}

/// A single event of this title, made in Berlin, and nothing else.
pub fn event(title: &str, when: When) -> Event {
    Event {
        meeting_id: None,
        place: Place::Single,
        subject: title.into(),
        body: "".into(),
        location: "".into(),
        when,
        zone: Some(chrono_tz::Europe::Berlin),
        show_as: ShowAs::Busy,
        sensitivity: Sensitivity::Normal,
        reminder_minutes: None,
        is_organizer: true,
        organizer: None,
        attendees: Vec::new(),
        groups: Vec::new(),
        cancelled: false,
    }
}

/// Made in Outlook: it carries no stamp.
pub fn made_by_owner(record: Record) -> MailboxWrite {
    MailboxWrite::Create {
        stamp: Stamp(String::new()),
        record,
    }
}

/// Made in the CRM's own pages. The key stands for what tells two of them apart; it is none of ours.
pub fn made_by_user(key: &str, record: Record) -> CrmWrite {
    CrmWrite::Create {
        key: ExternalKey(key.to_owned()),
        record,
        matches: Vec::new(),
    }
}

impl Office {
    /// The org's administrator at work, through the lab's control surface.
    pub fn administrate(&self, method: &str, path: &str, body: &Value) {
        let world = &self.lab.parts.salesforce;
        answer(world, method, path, body.to_string().as_bytes())
            .unwrap()
            .unwrap();
    }

    /// Salesforce goes wrong in this operation: so many times, or until the faults are cleared.
    pub fn crm_fails(&self, operation: &str, fault: Fault, times: Option<u64>) {
        self.lab.parts.faults.add(Rule {
            side: Side::Salesforce,
            operation: Some(operation.to_owned()),
            mailbox: None,
            fault,
            times,
            skip: 0,
            probability: None,
            seed: 1,
        });
    }
}
