//! Writing. What is new goes through the import, many at once; a change is a call of its own; a deletion puts the
//! record into the archive, which is where Odoo's people look for what they miss; but for an activity, whose archive is
//! for what was done.
//!
//! A new record carries its key twice: in a field that everybody can search, by which the copies are found that
//! are there already, and as its external id, which Odoo keeps unique: where two mailboxes bring the same meeting
//! at the same moment, the second import finds the first one's record.

use super::answers::{self, Answers};
use super::around;
use super::call::Call;
use super::client::{Client, misfit};
use super::codes;
use super::convert::sheet::Cell;
use super::convert::{self, Form};
use super::domain::Domain;
use super::draft::{Change, Desk, Draft, colleagues};
use super::import;
use super::reminders;
use super::schema::Schemas;
use super::users::Users;
use super::who::Whois;
use super::wire::value;
use crate::crm::error::CrmError;
use crate::crm::model::{CrmUser, CrmWrite, CrmWritten, Match};
use crate::crm::settled::Settled;
use crate::crm::task_form::TaskForm;
use crate::record::Record;
use crate::record::field::Field;
use crate::record::kind::RecordKind;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// Writes.
pub(super) struct Writer {
    client: Arc<Client>,
    schemas: Arc<Schemas>,
    users: Arc<Users>,
    whois: Arc<Whois>,
}

#[derive(Deserialize)]
struct KeyRow {
    id: i64,
    #[serde(deserialize_with = "value::string")]
    x_holdfast_key: Option<String>,
    #[serde(default = "living")]
    active: bool,
}

impl KeyRow {
    /// False for one that was deleted, as far as Odoo deletes.
    fn lives(&self, form: Form) -> bool {
        self.active || !form.is_deleted_into_archive()
    }
}

/// A record before it is changed.
#[derive(Deserialize)]
struct Before {
    id: i64,
    #[serde(default = "living")]
    active: bool,
    #[serde(default)]
    alarm_ids: Vec<i64>,
}

fn living() -> bool {
    true
}

impl Writer {
    pub(super) fn new(
        client: Arc<Client>,
        schemas: Arc<Schemas>,
        users: Arc<Users>,
        whois: Arc<Whois>,
    ) -> Self {
        Self {
            client,
            schemas,
            users,
            whois,
        }
    }

    /// See [`Crm::write`](crate::crm::port::Crm::write).
    pub(super) async fn write(
        &self,
        user: &CrmUser,
        kind: RecordKind,
        tasks: TaskForm,
        writes: &[CrmWrite],
    ) -> Result<Vec<Result<CrmWritten, CrmError>>, CrmError> {
        self.schemas.model(&user.username, Form::of(kind, tasks)).await?;
        self.whois.forget(writes);
        let mut fates = Settled::of(writes.len());
        let mut forms: BTreeMap<Form, Vec<(usize, &CrmWrite)>> = BTreeMap::new();
        for (at, write) in writes.iter().enumerate() {
            let form = match write {
                CrmWrite::Create { .. } | CrmWrite::File { .. } => Form::of(kind, tasks),
                CrmWrite::Update { id, .. } | CrmWrite::Delete { id } => Form::of_id(kind, id),
            };
            forms.entry(form).or_default().push((at, write));
        }
        for (form, writes) in forms {
            self.write_form(user, form, &writes, &mut fates).await?;
        }
        Ok(fates.finish(misfit))
    }

    async fn write_form(
        &self,
        user: &CrmUser,
        form: Form,
        writes: &[(usize, &CrmWrite)],
        fates: &mut Settled,
    ) -> Result<(), CrmError> {
        let login = user.username.as_str();
        let people: BTreeSet<i64> = matches(writes).flat_map(colleagues).collect();
        let people: Vec<i64> = people.into_iter().collect();
        let model = self.schemas.model(login, form).await?;
        let places = self.schemas.places(login).await?;
        let desk = Desk {
            form,
            model: &model,
            places: &places,
            owner: self.users.person(user).await?,
            colleagues: self.users.partners(login, &people).await?,
            reminders: reminders::of_minutes(&self.client, login, minutes(writes)).await?,
        };
        let (mut drafts, mut changes) = (Vec::new(), Vec::new());
        for (at, write) in writes {
            match prepared(&desk, *at, write) {
                Ok(Prepared::New(draft)) => drafts.push(draft),
                Ok(Prepared::Changed(change)) => changes.push(change),
                Ok(Prepared::Nothing) => {}
                Err(error) => fates.settle(*at, Err(error)),
            }
        }
        let mut answers: Vec<Answers> = drafts
            .iter_mut()
            .filter_map(|draft| draft.answers.take())
            .collect();
        answers.extend(changes.iter_mut().filter_map(|change| change.answers.take()));
        self.create(login, form, drafts, fates).await?;
        self.update(login, &desk, changes, fates).await?;
        answers::set(&self.client, login, &answers, fates).await?;
        self.delete(login, form, writes, fates).await
    }

    async fn create(
        &self,
        login: &str,
        form: Form,
        drafts: Vec<Draft>,
        fates: &mut Settled,
    ) -> Result<(), CrmError> {
        let drafts = self.without_other_form(login, form, drafts, fates).await?;
        let taken = self.taken(login, form, &drafts).await?;
        let mut new = Vec::new();
        for draft in drafts {
            match taken.get(&draft.key.0) {
                None => new.push(draft),
                Some(row) if row.lives(form) => fates.settle(draft.at, written(form, row.id, true)),
                Some(row) => {
                    // Somebody archived it, and now it is there again.
                    let cells = draft.cells.and([("active", Cell::Flag(true))]);
                    let fate = self.set(login, form, row.id, cells.values()).await?;
                    fates.settle(draft.at, fate);
                }
            }
        }
        let refused = import::import(&self.client, login, form, new, fates).await?;
        // One that a colleague's mailbox brought at the same moment is refused as well, and is there by now.
        let (drafts, errors): (Vec<Draft>, Vec<CrmError>) = refused.into_iter().unzip();
        let taken = self.taken(login, form, &drafts).await?;
        for (draft, error) in drafts.into_iter().zip(errors) {
            let fate = match taken.get(&draft.key.0) {
                Some(row) if row.lives(form) => written(form, row.id, true),
                _ => Err(error),
            };
            fates.settle(draft.at, fate);
        }
        Ok(())
    }

    /// Those that are not there in the other form, from before the policy named this one.
    async fn without_other_form(
        &self,
        login: &str,
        form: Form,
        drafts: Vec<Draft>,
        fates: &mut Settled,
    ) -> Result<Vec<Draft>, CrmError> {
        let Some(other) = form.other().filter(|_| !drafts.is_empty()) else {
            return Ok(drafts);
        };
        let model = self.schemas.find(login, other).await?;
        if !model.is_some_and(|model| model.has(convert::KEY)) {
            return Ok(drafts);
        }
        let taken = self.taken(login, other, &drafts).await?;
        let (there, new): (Vec<Draft>, Vec<Draft>) = drafts.into_iter().partition(|draft| {
            let row = taken.get(&draft.key.0);
            row.is_some_and(|row| row.lives(other))
        });
        for draft in there {
            let row = taken.get(&draft.key.0);
            fates.settle(
                draft.at,
                row.map_or(Err(misfit()), |row| written(other, row.id, true)),
            );
        }
        Ok(new)
    }

    /// The records that have these keys, the oldest where there are several.
    async fn taken(
        &self,
        login: &str,
        form: Form,
        drafts: &[Draft],
    ) -> Result<HashMap<String, KeyRow>, CrmError> {
        if drafts.is_empty() {
            return Ok(HashMap::new());
        }
        let keys: Vec<&str> = drafts.iter().map(|draft| draft.key.0.as_str()).collect();
        let mut domain = Domain::default().and(convert::KEY, "in", json!(keys));
        let mut fields = vec![convert::KEY];
        if form.has_archive() {
            domain = domain.archived_too();
            fields.push("active");
        }
        let call = Call::of(form.model(), "search_read")
            .with("domain", domain)
            .with("fields", json!(fields))
            .with("order", "id desc");
        let rows: Vec<KeyRow> = self.client.ask(login, &call).await?;
        Ok(rows
            .into_iter()
            .filter_map(|row| Some((row.x_holdfast_key.clone()?, row)))
            .collect())
    }

    async fn update(
        &self,
        login: &str,
        desk: &Desk<'_>,
        changes: Vec<Change>,
        fates: &mut Settled,
    ) -> Result<(), CrmError> {
        if changes.is_empty() {
            return Ok(());
        }
        let before = self.before(login, desk.form, &changes).await?;
        let with_guests: Vec<i64> = changes
            .iter()
            .filter(|change| change.guests.is_some())
            .map(|change| change.id)
            .collect();
        let guests = match with_guests.is_empty() {
            true => HashMap::new(),
            false => around::guests(&self.client, login, &with_guests).await?,
        };
        for change in changes {
            let known = before.get(&change.id);
            if known.is_some_and(|before| !before.active && desk.form.is_deleted_into_archive()) {
                fates.settle(change.at, Err(CrmError::Gone));
                continue;
            }
            let mut cells = change.cells;
            if let Some(invited) = change.guests {
                let there = guests.get(&change.id).map(Vec::as_slice).unwrap_or_default();
                // The owner stays if he was there, and so does whoever has no address: the other side could
                // not name him.
                let stay = there
                    .iter()
                    .filter(|guest| guest.partner == desk.owner.partner || guest.person.is_none());
                let mut all: Vec<i64> = stay.map(|guest| guest.partner).collect();
                all.extend(invited);
                cells = cells.and([("partner_ids", Cell::Many(all))]);
            }
            if let Some(minutes) = change.reminder {
                let others = match known {
                    Some(before) => self.other_alarms(login, before).await?,
                    None => Vec::new(),
                };
                let own = minutes.and_then(|minutes| desk.reminders.get(&minutes)).copied();
                let all = others.into_iter().chain(own).collect();
                cells = cells.and([("alarm_ids", Cell::Many(all))]);
            }
            let fate = match cells.is_empty() {
                true => written(desk.form, change.id, false),
                false => self.set(login, desk.form, change.id, cells.values()).await?,
            };
            fates.settle(change.at, fate);
        }
        Ok(())
    }

    /// How records are before they are changed. What is archived must not be changed unseen.
    async fn before(
        &self,
        login: &str,
        form: Form,
        changes: &[Change],
    ) -> Result<HashMap<i64, Before>, CrmError> {
        let ids: Vec<i64> = changes.iter().map(|change| change.id).collect();
        let mut domain = Domain::default().and("id", "in", ids);
        let mut fields = vec!["write_date"];
        if form.has_archive() {
            domain = domain.archived_too();
            fields.push("active");
        }
        if form == Form::Event {
            fields.push("alarm_ids");
        }
        let call = Call::of(form.model(), "search_read")
            .with("domain", domain)
            .with("fields", json!(fields));
        let rows: Vec<Before> = self.client.ask(login, &call).await?;
        Ok(rows.into_iter().map(|row| (row.id, row)).collect())
    }

    /// Reminders of an event that are mails or messages: none of ours.
    async fn other_alarms(&self, login: &str, before: &Before) -> Result<Vec<i64>, CrmError> {
        if before.alarm_ids.is_empty() {
            return Ok(Vec::new());
        }
        let shown = around::reminders(&self.client, login, before.alarm_ids.clone()).await?;
        let others = before.alarm_ids.iter().filter(|id| !shown.contains_key(id));
        Ok(others.copied().collect())
    }

    /// Sets values of one record.
    async fn set(
        &self,
        login: &str,
        form: Form,
        id: i64,
        values: serde_json::Map<String, Value>,
    ) -> Result<Result<CrmWritten, CrmError>, CrmError> {
        let call = Call::on(form.model(), "write", vec![id]).with("vals", values);
        settled(form, self.client.call(login, &call).await.map(|_| id))
    }

    async fn delete(
        &self,
        login: &str,
        form: Form,
        writes: &[(usize, &CrmWrite)],
        fates: &mut Settled,
    ) -> Result<(), CrmError> {
        for (at, write) in writes {
            let CrmWrite::Delete { id } = write else { continue };
            let Some(id) = form.number(id) else {
                fates.settle(*at, Err(CrmError::Gone));
                continue;
            };
            let call = match form.is_deleted_into_archive() {
                true => Call::on(form.model(), "write", vec![id]).with("vals", json!({ "active": false })),
                false => Call::on(form.model(), "unlink", vec![id]),
            };
            let fate = match settled(form, self.client.call(login, &call).await.map(|_| id))? {
                // It is gone, which is all that was wanted; so ends a deletion that is repeated.
                Err(CrmError::Gone) => written(form, id, false),
                fate => fate,
            };
            fates.settle(*at, fate);
        }
        Ok(())
    }
}

enum Prepared {
    New(Draft),
    Changed(Change),
    Nothing,
}

fn prepared(desk: &Desk<'_>, at: usize, write: &CrmWrite) -> Result<Prepared, CrmError> {
    let (CrmWrite::Create { record, .. } | CrmWrite::File { record, .. } | CrmWrite::Update { record, .. }) =
        write
    else {
        return Ok(Prepared::Nothing);
    };
    if record.kind() != desk.form.kind() {
        // A caller's mistake, and no record of this model.
        return Err(CrmError::BadRequest {
            code: "record of another kind".to_owned(),
        });
    }
    match write {
        CrmWrite::Create { key, record, matches } => {
            desk.draft(at, key, record, matches, None).map(Prepared::New)
        }
        CrmWrite::File {
            key,
            record,
            matches,
            under,
        } => desk
            .draft(at, key, record, matches, under.as_ref())
            .map(Prepared::New),
        _ => Ok(desk
            .change(at, write)?
            .map_or(Prepared::Nothing, Prepared::Changed)),
    }
}

/// What concerns one record is its fate; what concerns every call ends the whole.
fn settled(form: Form, answer: Result<i64, CrmError>) -> Result<Result<CrmWritten, CrmError>, CrmError> {
    match answer {
        Ok(id) => Ok(written(form, id, false)),
        Err(error) if codes::is_of_record(&error) => Ok(Err(error)),
        Err(error) => Err(error),
    }
}

fn written(form: Form, id: i64, existed: bool) -> Result<CrmWritten, CrmError> {
    Ok(CrmWritten {
        id: form.id(id),
        existed,
        refused: Vec::new(),
    })
}

fn matches<'a>(writes: &'a [(usize, &'a CrmWrite)]) -> impl Iterator<Item = &'a [Match]> {
    writes.iter().filter_map(|(_, write)| match write {
        CrmWrite::Create { matches, .. }
        | CrmWrite::File { matches, .. }
        | CrmWrite::Update { matches, .. } => Some(matches.as_slice()),
        CrmWrite::Delete { .. } => None,
    })
}

/// The reminders that these writes set.
fn minutes(writes: &[(usize, &CrmWrite)]) -> BTreeSet<u32> {
    let events = writes.iter().filter_map(|(_, write)| match write {
        CrmWrite::Create {
            record: Record::Event(event),
            ..
        } => event.reminder_minutes,
        CrmWrite::Update {
            record: Record::Event(event),
            fields,
            ..
        } if fields.has(Field::Reminder) => event.reminder_minutes,
        _ => None,
    });
    events.collect()
}
