//! A lab's Exchange and a real Odoo with the engine between them, in this process.

use crate::harness::Office;
use crate::harness::office::Ground;
use crate::odoo_pages::open_on;
use crate::odoo_server::{Odoo, Rep};
use holdfast::sync::policy::Policy;
use holdfast::sync::store::mailboxes::MailboxRow;
use holdfast_lab::Options;
use std::sync::Arc;

/// An office whose CRM is Odoo, with the mailbox of its first person, who is this user there.
pub async fn office_beside(odoo: &Odoo, rep: &Rep) -> (Office, MailboxRow) {
    office_under(odoo, rep, Policy::default()).await
}

/// The same under this policy, by the name of "default".
pub async fn office_under(odoo: &Odoo, rep: &Rep, policy: Policy) -> (Office, MailboxRow) {
    let options = Options {
        people: 2,
        items_per_person: 0,
        seed: rep.id.unsigned_abs(),
        ..Options::default()
    };
    let (odoo, reps) = (Arc::new(odoo.clone()), vec![rep.clone()]);
    let office = open_on(Ground::new().await, odoo, reps, options).await;
    office.policy("default", policy).await;
    let row = office.add_with(0, "default").await;
    (office, row)
}
