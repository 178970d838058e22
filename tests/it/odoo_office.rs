//! A lab's Exchange and a real Odoo with the engine between them, in this process.

use crate::harness::Office;
use crate::odoo_server::{Odoo, Rep};
use holdfast::sync::store::mailboxes::MailboxRow;

/// An office whose CRM is Odoo, with the mailbox of its first person, who is this user there.
pub async fn office_beside(odoo: &Odoo, rep: &Rep) -> (Office, MailboxRow) {
    let connector = || odoo.connector(&[rep], None);
    let office = Office::open(2, 0).await.beside(connector(), connector());
    let row = office.add_as(0, &rep.login, "default").await;
    (office, row)
}
