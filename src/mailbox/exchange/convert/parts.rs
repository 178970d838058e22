//! Parts that items of several kinds have.

use crate::foundation::content::Content;
use crate::mailbox::exchange::wire::message::RawMailbox;
use crate::mailbox::exchange::wire::path::Path;
use crate::mailbox::exchange::wire::property::{Property, Value};
use crate::record::event::Sensitivity;
use crate::record::person::Person;

/// The word of the schema for who may see an item, in our terms.
pub fn sensitivity(word: &str) -> Sensitivity {
    match word {
        "Personal" => Sensitivity::Personal,
        "Private" => Sensitivity::Private,
        "Confidential" => Sensitivity::Confidential,
        _ => Sensitivity::Normal,
    }
}

/// A plain-text body; the empty one empties the item's.
pub fn body(text: &str) -> Property {
    Property {
        path: Path::Field("item:Body"),
        value: (!text.is_empty()).then(|| Value::Body(text.to_owned())),
    }
}

/// A person; none where the server names nobody.
pub fn person(raw: RawMailbox) -> Option<Person> {
    if raw.address.is_empty() {
        return None;
    }
    let name = Some(raw.name)
        .filter(|name| !name.is_empty() && *name != raw.address)
        .map(Content::new);
    Some(Person {
        address: Content::new(raw.address),
        name,
    })
}
