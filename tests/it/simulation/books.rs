//! The books of a world: what the journal says against what was written, and what the database holds.

use super::stops::Written;
use super::world::{Place, World};
use crate::harness::office::Ground;
use chrono::{DateTime, TimeDelta, Utc};
use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use diesel::sql_types::Text;
use holdfast::foundation::db::schema::{failures, journal, quarantine};
use holdfast::sync::journal::Act;
use holdfast::sync::model::Side;
use std::collections::BTreeMap;

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

/// Words that only people write.
const WORDS: [&str; 5] = ["thing-", "value ", "series ", "offer ", "figures of"];

impl World {
    /// What the journal says of a stream. A deletion is one whoever agreed to it.
    pub fn journal(&self, (row, kind): Place) -> Written {
        let entries: Vec<(i16, i16)> = journal::table
            .filter(journal::mailbox_id.eq(self.rows[row].mailbox.id.0))
            .filter(journal::kind.eq(kind.number()))
            .select((journal::side, journal::act))
            .load(&mut *self.ground.everything())
            .unwrap();
        let mut written = BTreeMap::new();
        for (side, act) in entries {
            let act = match act {
                act if act == Act::DeletedAsApproved.number() => Act::Deleted.number(),
                act => act,
            };
            if act != Act::Found.number() {
                *written.entry((side, act)).or_default() += 1;
            }
        }
        written
    }

    /// A turn that went well has entered into the journal what it wrote, each write once.
    pub fn adds_up(&mut self, place: Place, before: Written, written: Written) {
        let mut due = before;
        for (what, count) in &written {
            *due.entry(*what).or_default() += count;
        }
        let now = self.journal(place);
        if due != now {
            self.wrong.push(format!(
                "{place:?}: a turn wrote {written:?} (by side and act), and its journal says {now:?}, not {due:?}"
            ));
        }
        self.journals.insert(place, now);
    }

    /// More deletions than the guard of a stream lets by within its period have not been carried out without a person.
    pub fn asks_in_time(&mut self, place: Place) {
        let (row, kind) = place;
        let guard = &self.policies[row].guard;
        // Of other limits it is a share that decides, of links as they were then.
        let limits = guard.of(kind).filter(|limits| limits.in_crm.percent == 0);
        let Some(limits) = limits else { return };
        let period = TimeDelta::hours(guard.period_hours.into());
        for (side, limit) in [(Side::Crm, limits.in_crm), (Side::Mailbox, limits.in_mailbox)] {
            let times: Vec<DateTime<Utc>> = journal::table
                .filter(journal::mailbox_id.eq(self.rows[row].mailbox.id.0))
                .filter(journal::kind.eq(kind.number()))
                .filter(journal::side.eq(side.number()))
                .filter(journal::act.eq(Act::Deleted.number()))
                .order(journal::at)
                .select(journal::at)
                .load(&mut *self.ground.everything())
                .unwrap();
            let most = usize::try_from(limit.more_than).unwrap();
            let beyond = times.windows(most + 1).any(|some| some[most] - some[0] < period);
            if beyond {
                self.wrong.push(format!(
                    "{place:?}: nobody was asked about more than {most} deletions in the {}: {times:?}",
                    side.word()
                ));
            }
        }
    }

    /// Failures that wait for another try in a stream.
    pub fn failures(&self, (row, kind): Place) -> i64 {
        let of_it = failures::table
            .filter(failures::mailbox_id.eq(self.rows[row].mailbox.id.0))
            .filter(failures::kind.eq(kind.number()));
        of_it.count().get_result(&mut *self.ground.everything()).unwrap()
    }

    /// Whether deletions of a mailbox wait for a person.
    pub fn is_held(&self, row: usize) -> bool {
        let of_it = quarantine::table
            .filter(quarantine::mailbox_id.eq(self.rows[row].mailbox.id.0))
            .filter(quarantine::state.eq("held"));
        diesel::select(diesel::dsl::exists(of_it))
            .get_result(&mut *self.ground.everything())
            .unwrap()
    }

    /// Nothing that a person wrote stands in any table.
    ///
    /// # Errors
    /// Where it stands.
    pub fn no_content_at_rest(&self) -> Result<(), String> {
        let mut conn = self.ground.everything();
        let everything: Vec<String> = tables(&mut conn)
            .iter()
            .map(|table| format!("SELECT '{table}: ' || t::text AS line FROM {table} t"))
            .collect();
        let rows: Vec<Line> = diesel::sql_query(everything.join(" UNION ALL "))
            .load(&mut *conn)
            .unwrap();
        for Line { line } in rows {
            let found = WORDS
                .iter()
                .find(|word| line.contains(*word) || line.contains(&hex(word)));
            if let Some(word) = found {
                return Err(format!("{word:?} stands in {line}"));
            }
        }
        Ok(())
    }
}

fn hex(word: &str) -> String {
    word.bytes().map(|byte| format!("{byte:02x}")).collect()
}

fn tables(conn: &mut PgConnection) -> Vec<String> {
    let ask = "SELECT tablename::text AS line FROM pg_tables WHERE schemaname = 'public' \
               AND tablename NOT IN ('__diesel_schema_migrations', 'policies') ORDER BY 1";
    let rows: Vec<Line> = diesel::sql_query(ask).load(conn).unwrap();
    rows.into_iter().map(|row| row.line).collect()
}

/// Takes every row out, so that another world may begin; deleting is faster than a new database.
pub fn clear(ground: &Ground) {
    let mut conn = ground.everything();
    let mut all = "SET session_replication_role = replica;".to_owned();
    for table in tables(&mut conn) {
        all += &format!("DELETE FROM {table};");
    }
    conn.batch_execute(&all).unwrap();
}

/// Gives back what deleted rows hold: nobody else does here, and each statement would go past more of them.
pub fn vacuum(ground: &Ground) {
    ground.everything().batch_execute("VACUUM").unwrap();
}

/// Keeps a copy of every row. A copy of the whole database would need everybody to hang up first.
pub fn keep(ground: &Ground) {
    let mut conn = ground.everything();
    let mut all = "DROP SCHEMA IF EXISTS kept CASCADE; CREATE SCHEMA kept;".to_owned();
    for table in tables(&mut conn) {
        all += &format!("CREATE TABLE kept.{table} AS TABLE public.{table};");
    }
    conn.batch_execute(&all).unwrap();
}

/// Every row is again as it was kept.
pub fn go_back(ground: &Ground) {
    let mut conn = ground.everything();
    let mut all = "SET session_replication_role = replica;".to_owned();
    for table in tables(&mut conn) {
        all +=
            &format!("DELETE FROM {table}; INSERT INTO {table} OVERRIDING SYSTEM VALUE TABLE kept.{table};");
    }
    conn.batch_execute(&all).unwrap();
}
