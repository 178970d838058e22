//! The zone in which a mailbox's owner lives, as far as the calendar shows it.
//!
//! A CRM keeps no zone with an event, and whole days written in the wrong one begin in the evening before.
//! Exchange has no property of a mailbox that says the zone and that is always there; the owner's own
//! appointments say it. They are asked for once for each mailbox and life of the process.

use super::client::{Client, Operation};
use super::convert::definition;
use super::convert::definition::Reach;
use super::wire::appointment::RawAppointment;
use super::wire::find_item;
use super::wire::folder::FolderRef;
use super::wire::get_item;
use super::wire::item::RawItem;
use super::wire::zone::RawZone;
use crate::foundation::failure::Class;
use crate::mailbox::error::MailboxError;
use crate::mailbox::model::{ItemId, MailboxRef};
use chrono_tz::Tz;
use std::collections::HashMap;

/// Appointments that are looked at.
const LOOKED_AT: usize = 20;

/// The zone that most of the latest own appointments were made in; none where there are none, or where Exchange
/// will not say.
///
/// # Errors
/// Those of the calls that pass by themselves.
pub async fn of(client: &Client, mailbox: &MailboxRef) -> Result<Option<Tz>, MailboxError> {
    let session = client.session(mailbox);
    if let Some(known) = session.home_zone() {
        return Ok(known);
    }
    let home = match zones(client, mailbox).await {
        Ok(zones) => most_common(zones),
        Err(error) if matches!(error.class(), Class::Refused | Class::Broken) => None,
        Err(error) => return Err(error),
    };
    session.set_home_zone(home);
    Ok(home)
}

/// The zones of the latest appointments, as far as they are the owner's own.
async fn zones(client: &Client, mailbox: &MailboxRef) -> Result<Vec<Tz>, MailboxError> {
    let folder = FolderRef::Distinguished("calendar");
    let find = Operation {
        name: "FindItem",
        repeatable: true,
    };
    let found: Vec<Result<Vec<RawItem>, _>> = client
        .call(
            mailbox,
            find,
            |w, _| find_item::latest(w, folder, LOOKED_AT),
            find_item::read,
        )
        .await?;
    let mut latest: Vec<ItemId> = Vec::new();
    for message in found {
        latest.extend(
            message?
                .into_iter()
                .filter_map(|item| item.item)
                .map(|item| item.id),
        );
    }
    if latest.is_empty() {
        return Ok(Vec::new());
    }
    let get = Operation {
        name: "GetItem",
        repeatable: true,
    };
    let read: Vec<Result<Vec<RawItem>, _>> = client
        .call(mailbox, get, |w, _| get_item::zones(w, &latest), get_item::read)
        .await?;
    let appointments = read.into_iter().flatten().flatten().map(|item| item.appointment);
    let own = appointments.filter(|one| !one.is_meeting || one.my_response == "Organizer");
    Ok(own.filter_map(|one| made_in(&one)).collect())
}

/// The zone of an appointment. The call is for zones alone; by its rules one is told over the time around it.
fn made_in(one: &RawAppointment) -> Option<Tz> {
    let start = one.start?;
    let reach = Reach::of(start, start, None);
    definition::made_in(&one.zone, &RawZone::default(), reach, None)
}

fn most_common(zones: Vec<Tz>) -> Option<Tz> {
    let mut counts: HashMap<Tz, usize> = HashMap::new();
    zones
        .into_iter()
        .for_each(|zone| *counts.entry(zone).or_default() += 1);
    // An item made by a program is often in UTC; a person's zone comes first at equal numbers.
    counts
        .into_iter()
        .max_by_key(|(zone, count)| (*count, *zone != Tz::UTC, zone.name()))
        .map(|(zone, _)| zone)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_zone_of_most_appointments_counts_and_utc_gives_way_to_a_place() {
        let (berlin, tokyo) = (Tz::Europe__Berlin, Tz::Asia__Tokyo);
        assert_eq!(most_common(vec![berlin, tokyo, berlin]), Some(berlin));
        assert_eq!(most_common(vec![Tz::UTC, berlin]), Some(berlin));
        assert_eq!(most_common(Vec::new()), None);
    }
}
