//! Series: which of their dates were taken up, and when to look at them again.

use super::links::{pack_id, unpack_id};
use crate::foundation::db::schema::series;
use crate::mailbox::model::ItemId;
use crate::mailbox::series::DateId;
use crate::sync::error::SyncError;
use crate::sync::keys::item_key;
use crate::sync::model::{ItemKey, StreamId};
use chrono::{Days, NaiveDate};
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::upsert::excluded;
use std::collections::BTreeSet;

/// What is remembered of a series.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeriesRow {
    /// The series.
    pub item: ItemId,
    /// Its version when all of its dates were judged, shortened; 0 while that is not finished.
    pub version: i64,
    /// Dates that were judged, by the day on which the rule sets them.
    pub days: BTreeSet<NaiveDate>,
    /// The first day on which further dates come within reach.
    pub look_again: Option<NaiveDate>,
}

impl SeriesRow {
    /// The series, shortened.
    pub fn key(&self) -> ItemKey {
        item_key(&self.item)
    }

    /// The id of the date of this day.
    pub fn date(&self, day: NaiveDate) -> ItemId {
        let series = self.item.clone();
        DateId { series, day }.item()
    }
}

/// What a commit does to series.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SeriesChange {
    /// Series to remember.
    pub put: Vec<SeriesRow>,
    /// Series to forget.
    pub forgotten: Vec<ItemKey>,
}

type Row = (i64, Option<NaiveDate>, Vec<u8>, Vec<u8>);

const COLUMNS: (
    series::item_version,
    series::look_again,
    series::item_id,
    series::days,
) = (
    series::item_version,
    series::look_again,
    series::item_id,
    series::days,
);

fn from_row((version, look_again, item, days): Row) -> Option<SeriesRow> {
    Some(SeriesRow {
        item: unpack_id(&item)?,
        version,
        days: unpack_days(&days),
        look_again,
    })
}

/// The rows of these items, as far as they are series.
pub fn by_keys(
    conn: &mut PgConnection,
    stream: StreamId,
    keys: &[ItemKey],
) -> Result<Vec<SeriesRow>, SyncError> {
    let keys: Vec<i64> = keys.iter().map(|key| key.0).collect();
    let rows: Vec<Row> = series::table
        .filter(series::mailbox_id.eq(stream.mailbox.0))
        .filter(series::item_key.eq_any(keys))
        .select(COLUMNS)
        .load(conn)?;
    Ok(rows.into_iter().filter_map(from_row).collect())
}

/// Up to `most` series of which further dates have come within reach.
pub fn due(
    conn: &mut PgConnection,
    stream: StreamId,
    today: NaiveDate,
    most: i64,
) -> Result<Vec<SeriesRow>, SyncError> {
    let rows: Vec<Row> = series::table
        .filter(series::mailbox_id.eq(stream.mailbox.0))
        .filter(series::look_again.le(today))
        .order((series::look_again, series::item_key))
        .limit(most)
        .select(COLUMNS)
        .load(conn)?;
    Ok(rows.into_iter().filter_map(from_row).collect())
}

/// Has every series of a stream looked at date by date at its next sight.
pub fn judge_anew(conn: &mut PgConnection, stream: StreamId) -> Result<(), SyncError> {
    diesel::update(series::table.filter(series::mailbox_id.eq(stream.mailbox.0)))
        .set(series::item_version.eq(0))
        .execute(conn)?;
    Ok(())
}

/// Carries a change out.
pub fn change(conn: &mut PgConnection, stream: StreamId, change: &SeriesChange) -> Result<(), SyncError> {
    if !change.forgotten.is_empty() {
        let keys: Vec<i64> = change.forgotten.iter().map(|key| key.0).collect();
        diesel::delete(
            series::table
                .filter(series::mailbox_id.eq(stream.mailbox.0))
                .filter(series::item_key.eq_any(keys)),
        )
        .execute(conn)?;
    }
    for row in &change.put {
        diesel::insert_into(series::table)
            .values((
                series::mailbox_id.eq(stream.mailbox.0),
                series::item_key.eq(row.key().0),
                series::item_version.eq(row.version),
                series::look_again.eq(row.look_again),
                series::item_id.eq(pack_id(&row.item)),
                series::days.eq(pack_days(&row.days)),
            ))
            .on_conflict((series::mailbox_id, series::item_key))
            .do_update()
            .set((
                series::item_version.eq(excluded(series::item_version)),
                series::look_again.eq(excluded(series::look_again)),
                series::item_id.eq(excluded(series::item_id)),
                series::days.eq(excluded(series::days)),
            ))
            .execute(conn)?;
    }
    Ok(())
}

fn pack_days(days: &BTreeSet<NaiveDate>) -> Vec<u8> {
    let since = |day: &NaiveDate| u16::try_from((*day - epoch()).num_days()).ok();
    days.iter().filter_map(since).flat_map(u16::to_be_bytes).collect()
}

fn unpack_days(packed: &[u8]) -> BTreeSet<NaiveDate> {
    packed
        .chunks_exact(2)
        .filter_map(|two| Some(u16::from_be_bytes(two.try_into().ok()?)))
        .filter_map(|days| epoch().checked_add_days(Days::new(days.into())))
        .collect()
}

/// From here two bytes reach to the year 2179.
fn epoch() -> NaiveDate {
    NaiveDate::from_ymd_opt(2000, 1, 1).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_come_back_as_they_were_in_two_bytes_each() {
        let days: BTreeSet<NaiveDate> = ["2000-01-01", "2026-11-24", "2179-06-06"]
            .iter()
            .map(|day| day.parse().expect("a day"))
            .collect();
        let packed = pack_days(&days);
        assert_eq!(packed.len(), 6);
        assert_eq!(unpack_days(&packed), days);
    }
}
