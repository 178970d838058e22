//! What a failed item is called, sealed and opened.

use crate::foundation::content::Content;
use crate::foundation::explain::Explain as _;
use crate::foundation::keyring::MailboxKey;
use crate::foundation::keyring::seal::Place;
use crate::foundation::secret::Secret;
use crate::record::Record;
use crate::sync::model::{ItemKey, Side, StreamId};

/// More letters help nobody to find an item.
const LONGEST: usize = 120;

/// What people call this: the title, or the person's name, else the company or the address. `None` where it has none.
pub fn name_of(record: &Record) -> Option<Content<String>> {
    let name = match record {
        Record::Event(event) => event.subject.expose().clone(),
        Record::Task(task) => task.subject.expose().clone(),
        Record::Email(email) => email.subject.expose().clone(),
        Record::Contact(card) => {
            let both = format!("{} {}", card.given_name.expose(), card.family_name.expose());
            let names = [both, card.company.expose().clone(), card.email.expose().clone()];
            let given = names.into_iter().find(|name| !name.trim().is_empty());
            given.unwrap_or_default()
        }
    };
    let name: String = name.trim().chars().take(LONGEST).collect();
    (!name.is_empty()).then(|| Content::new(name))
}

/// Seals a name for its failure. A failure is kept in any case: without a name where none can be sealed.
pub fn seal(
    key: &MailboxKey,
    stream: StreamId,
    side: Side,
    item: ItemKey,
    name: &Content<String>,
) -> Option<Vec<u8>> {
    let row = row(stream, side, item);
    let value = Secret::new(name.expose().clone().into_bytes());
    match key.sealer().seal(place(&row), &value) {
        Ok(sealed) => Some(sealed),
        Err(error) => {
            tracing::warn!(%stream, code = error.code(), "a failure is kept without its item's name");
            None
        }
    }
}

/// Opens the name of a failure; `None` where it does not open: the mailbox's key is another one, or the name comes from
/// another row.
pub fn open(
    key: &MailboxKey,
    stream: StreamId,
    side: Side,
    item: ItemKey,
    sealed: &[u8],
) -> Option<Content<String>> {
    let row = row(stream, side, item);
    let opened = key.sealer().open(place(&row), sealed).ok()?;
    let name = String::from_utf8_lossy(opened.expose()).into_owned();
    Some(Content::new(name))
}

/// What makes a failure's row the only one of its kind, whatever number it has.
fn row(stream: StreamId, side: Side, item: ItemKey) -> String {
    format!("{stream}/{}/{}", side.word(), item.0)
}

fn place(row: &str) -> Place<'_> {
    Place {
        table: "failures",
        column: "name",
        row,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::contact::Contact;
    use crate::record::task::Task;

    #[test]
    fn a_card_is_called_by_its_name_else_by_its_company_else_by_its_address() {
        let called = |card: Contact| {
            let name = name_of(&Record::Contact(card));
            name.map(Content::into_inner)
        };
        let named = Contact {
            family_name: " Lovelace ".into(),
            company: "Engines".into(),
            ..Contact::default()
        };
        assert_eq!(called(named).as_deref(), Some("Lovelace"));
        let company = Contact {
            company: "Engines".into(),
            email: "a@example.org".into(),
            ..Contact::default()
        };
        assert_eq!(called(company).as_deref(), Some("Engines"));
        assert_eq!(called(Contact::default()), None);
    }

    #[test]
    fn a_long_title_is_cut_between_letters() {
        let task = Task {
            subject: Content::new("é".repeat(500)),
            ..Task::default()
        };
        let name = name_of(&Record::Task(task)).unwrap();
        assert_eq!(name.expose().chars().count(), LONGEST);
    }
}
