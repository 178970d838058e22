//! What users of every such program complain of, in the order in which they complain: one test for each, named for
//! what must not happen. The rooms have tests of their own for the ways in which each is kept from happening; here
//! people do what they did when it happened to them.
//!
//! **Over which CRM.** Those that concern a CRM at all are written over a [`Stage`] and run over each: over the lab's
//! Salesforce here, over a real Odoo in `odoo_complaints`. Beside the lab's Salesforce alone are
//!
//! - 15, since Odoo counts no calls and has none to use up ([`Crm::calls`] says `None`).
//!
//! [`Stage`]: crate::harness::pages::Stage
//! [`Crm::calls`]: holdfast::crm::port::Crm::calls

mod calendar;
mod people;
mod trust;

pub use self::calendar::*;
pub use self::people::*;
pub use self::trust::*;

use crate::harness::Office;
use crate::harness::office::subject;
use crate::harness::pages::LabSalesforce;
use holdfast::crm::model::CrmRecord;
use holdfast::record::kind::RecordKind;
use holdfast::sync::store::mailboxes::MailboxRow;
use std::collections::BTreeSet;

/// A test of each complaint that concerns a CRM, beside this one.
macro_rules! complaints_beside {
    ($stage:ty) => {
        crate::complaints::complaints_beside!($stage: [
            complaint_01_a_meeting_stood_in_the_crm_once_for_each_attendee,
            complaint_02_going_live_doubled_every_meeting_and_task,
            complaint_02_a_series_that_was_carried_date_by_date_before_is_not_doubled,
            complaint_03_the_first_synchronisation_doubled_the_contacts,
            complaint_04_meetings_were_cancelled_because_a_user_lost_sight_of_them,
            complaint_05_new_territories_looked_like_a_mass_deletion,
            complaint_06_attendees_were_flooded_with_invitations,
            complaint_07_series_were_missing_flattened_or_overwritten,
            complaint_08_another_attendee_took_over_the_organisers_series,
            complaint_09_endless_series_flooded_the_crm,
            complaint_10_times_shifted_by_the_hours_of_the_zone,
            complaint_11_whole_days_moved_by_one_or_got_a_time,
            complaint_12_changes_arrived_hours_late,
            complaint_13_a_stream_stopped_in_silence_and_stayed_so,
            complaint_14_some_mails_never_arrived_and_nobody_could_say_why,
            complaint_16_attachments_were_dropped_without_a_word,
            complaint_17_formatting_and_the_other_sides_words_were_lost,
            complaint_18_attendees_whom_the_crm_does_not_know_vanished,
            complaint_19_private_things_and_strangers_mail_were_captured,
            complaint_20_a_moved_mailbox_doubled_or_lost_what_was_linked,
        ]);
    };
    ($stage:ty: [$($complaint:ident),+ $(,)?]) => {
        $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $complaint() {
                crate::complaints::$complaint::<$stage>().await;
            }
        )+
    };
}
pub(crate) use complaints_beside;

mod beside_salesforce {
    crate::complaints::complaints_beside!(super::LabSalesforce);
}

/// The records of this title that any of these people's users has.
async fn records(office: &Office, rows: &[MailboxRow], kind: RecordKind, title: &str) -> Vec<CrmRecord> {
    let (mut seen, mut found) = (BTreeSet::new(), Vec::new());
    for row in rows {
        for record in office.records(row, kind).await {
            if subject(&record.record) == title && seen.insert(record.id.clone()) {
                found.push(record);
            }
        }
    }
    found
}

/// How many items of this title a mailbox has.
async fn items(office: &Office, row: &MailboxRow, kind: RecordKind, title: &str) -> usize {
    let items = office.items(row, kind).await;
    items.iter().filter(|item| subject(&item.record) == title).count()
}

async fn assert_nobody_noticed(office: &Office) {
    let noticed = office.lab.parts.ledger.entries();
    assert!(noticed.is_empty(), "{noticed:?}");
    assert_eq!(office.pages.told().await, 0, "the CRM told somebody");
}
