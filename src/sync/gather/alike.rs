//! Things that were on both sides before Holdfast came: entered twice by hand, or carried by another program.
//! To make them again would double them, so an item and a record that are alike are taken for one, each record
//! for one item only. Nothing is alike to what carries our key or stamp: of these we know what they are.

use crate::foundation::content::Content;
use crate::record::Record;
use crate::record::contact::Contact;
use crate::record::field::Field;
use crate::record::normalise;
use crate::sync::choice::model::Stage;

/// What two alike things share: fields in common form, joined. Never stored.
pub(super) type Mark = Content<Vec<u8>>;

/// The marks of a record, the surest first, each with what it is made of; two records that share one are alike.
///
/// A meeting: its title and its time. A task: its title and its day, or without a day its title and its text. A
/// contact, beyond the address that is looked up in the CRM itself: name and a telephone number, then name and
/// company.
pub(super) fn marks(record: &Record) -> Vec<(Stage, Mark)> {
    let of = |stage, fields: &[Field]| Some((stage, mark(record, fields)?));
    let found = match record {
        Record::Event(_) => vec![of(Stage::Title, &[Field::Subject, Field::When])],
        Record::Task(_) => {
            let by_day = of(Stage::Title, &[Field::Subject, Field::Due]);
            vec![by_day.or_else(|| of(Stage::Title, &[Field::Subject, Field::Body]))]
        }
        Record::Contact(contact) => {
            let phones = with_phones(contact).into_iter();
            let mut found: Vec<_> = phones.map(|mark| Some((Stage::Phone, mark?))).collect();
            found.push(of(Stage::Company, &[Field::FullName, Field::Company]));
            found
        }
        Record::Email(_) => Vec::new(),
    };
    found.into_iter().flatten().collect()
}

/// `None` where one of the fields is empty: emptiness makes nothing alike.
fn mark(record: &Record, fields: &[Field]) -> Option<Mark> {
    let mut all = Vec::new();
    for field in fields {
        let value = normalise::value(record, *field, &[]);
        if value.expose().is_empty() {
            return None;
        }
        all.extend_from_slice(value.expose());
        all.push(0);
    }
    // So that a name with a number is never taken for a name with a company.
    all.push(fields.last().map_or(0, |field| *field as u8));
    Some(Content::new(all))
}

/// A number counts whichever of its kinds it was entered as.
fn with_phones(contact: &Contact) -> Vec<Option<Mark>> {
    let phones = [
        &contact.mobile_phone,
        &contact.business_phone,
        &contact.home_phone,
    ];
    let as_mobile = phones.into_iter().filter(|phone| !phone.is_empty()).map(|phone| {
        let mut contact = contact.clone();
        contact.mobile_phone = phone.clone();
        Record::Contact(contact)
    });
    let marks = as_mobile.map(|record| mark(&record, &[Field::FullName, Field::MobilePhone]));
    let mut found: Vec<_> = marks.collect();
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::task::Task;
    use chrono::NaiveDate;

    fn alike(a: &Record, b: &Record) -> bool {
        let others = marks(b);
        marks(a).iter().any(|mark| others.contains(mark))
    }

    fn contact(change: impl FnOnce(&mut Contact)) -> Record {
        let mut contact = Contact {
            given_name: "Ada".into(),
            family_name: "Lovelace".into(),
            ..Contact::default()
        };
        change(&mut contact);
        Record::Contact(contact)
    }

    fn task(subject: &str, due: Option<NaiveDate>, body: &str) -> Record {
        Record::Task(Task {
            subject: subject.into(),
            due,
            body: body.into(),
            ..Task::default()
        })
    }

    #[test]
    fn a_number_makes_two_cards_of_one_name_alike_whatever_kind_of_number_it_is() {
        let mobile = contact(|card| card.mobile_phone = "+49 30 1234".into());
        let business = contact(|card| card.business_phone = "+49 (30) 1234".into());
        let other = contact(|card| card.mobile_phone = "+49 30 9999".into());
        assert!(alike(&mobile, &business));
        assert!(!alike(&mobile, &other));
    }

    #[test]
    fn a_name_alone_makes_nobody_alike_and_a_company_with_it_does() {
        let bare = contact(|_| ());
        let at_work = |company: &'static str| contact(move |card| card.company = company.into());
        assert!(!alike(&bare, &bare));
        assert!(alike(&at_work("Engines"), &at_work("Engines")));
        assert!(!alike(&at_work("Engines"), &at_work("Looms")));
    }

    #[test]
    fn tasks_are_alike_by_day_or_where_there_is_none_by_text() {
        let day = NaiveDate::from_ymd_opt(2026, 3, 1);
        assert!(alike(&task("Call", day, "about"), &task("Call", day, "")));
        assert!(!alike(
            &task("Call", day, ""),
            &task("Call", day.and_then(|day| day.succ_opt()), "")
        ));
        assert!(!alike(&task("Call", None, ""), &task("Call", None, "")));
        assert!(alike(&task("Call", None, "about"), &task("Call", None, "about")));
    }
}
