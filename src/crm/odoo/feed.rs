//! The change feed: the user's own records of a model that changed since, in the order of their ids. An archived
//! one counts as deleted; of one that is really deleted nothing is left that a feed could show, so the engine
//! asks for these ([`Crm::fates`](crate::crm::port::Crm::fates)).

use super::around::around;
use super::call::Call;
use super::client::{Client, is_too_large};
use super::convert::activity::ActivityRow;
use super::convert::contact::ContactRow;
use super::convert::event::EventRow;
use super::convert::row::{Row, into_record};
use super::convert::task::TaskRow;
use super::convert::{self, Form};
use super::cursor::{Cursor, TaskCursor};
use super::domain::Domain;
use super::model::Person;
use super::schema::Schemas;
use super::users::Users;
use super::wire::value;
use crate::crm::error::CrmError;
use crate::crm::model::{CrmChange, CrmCursor, CrmPage, CrmUser};
use crate::crm::task_form::TaskForms;
use crate::record::kind::RecordKind;
use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Rows a page; fewer where they are too much for one answer.
const PAGE_SIZES: [usize; 3] = [500, 100, 20];

/// Of the activities that were done, which Odoo keeps for good, a reading from the start takes those of this time: as
/// long as a stream may have stood still before it.
const DONE_LATELY: TimeDelta = TimeDelta::days(31);

/// A page without its cursor.
#[derive(Default)]
struct Page {
    changes: Vec<CrmChange>,
    more: bool,
}

impl Page {
    fn with(self, cursor: CrmCursor) -> CrmPage {
        CrmPage {
            changes: self.changes,
            cursor,
            more: self.more,
        }
    }
}

/// Reads the feed.
pub(super) struct Feed {
    client: Arc<Client>,
    schemas: Arc<Schemas>,
    users: Arc<Users>,
}

/// An attendee whose answer changed, which does not move the event's own `write_date`.
#[derive(Deserialize)]
struct Touched {
    id: i64,
    #[serde(deserialize_with = "value::reference")]
    event_id: Option<i64>,
    #[serde(deserialize_with = "value::instant")]
    write_date: DateTime<Utc>,
}

struct Question<'a> {
    login: &'a str,
    form: Form,
    me: Person,
    columns: Vec<&'static str>,
    since: Option<DateTime<Utc>>,
}

impl Feed {
    pub(super) fn new(client: Arc<Client>, schemas: Arc<Schemas>, users: Arc<Users>) -> Self {
        Self {
            client,
            schemas,
            users,
        }
    }

    /// See [`Crm::changes`](crate::crm::port::Crm::changes).
    pub(super) async fn changes(
        &self,
        user: &CrmUser,
        kind: RecordKind,
        forms: TaskForms,
        cursor: Option<&CrmCursor>,
    ) -> Result<CrmPage, CrmError> {
        if kind != RecordKind::Tasks {
            let mut cursor = Cursor::read(cursor)?;
            let page = self.page_of(user, Form::of(kind, forms.new), &mut cursor).await?;
            return Ok(page.with(cursor.write()?));
        }
        let mut cursor = TaskCursor::read(cursor, forms)?;
        let (form, of_form) = cursor.next_page();
        let mut page = self.page_of(user, Form::of(kind, form), of_form).await?;
        page.more = cursor.turn_page(page.more, forms);
        Ok(page.with(cursor.write()?))
    }

    async fn page_of(&self, user: &CrmUser, form: Form, cursor: &mut Cursor) -> Result<Page, CrmError> {
        let model = self.schemas.model(&user.username, form).await?;
        let question = Question {
            login: &user.username,
            form,
            me: self.users.person(user).await?,
            columns: model.columns(convert::columns(form)),
            since: cursor.since(),
        };
        match form {
            Form::Event => self.page::<EventRow>(&question, cursor).await,
            Form::Contact => self.page::<ContactRow>(&question, cursor).await,
            Form::Task => self.page::<TaskRow>(&question, cursor).await,
            Form::Activity => self.page::<ActivityRow>(&question, cursor).await,
            Form::Mail => Ok(Page::default()),
        }
    }

    async fn page<R: Row>(&self, question: &Question<'_>, cursor: &mut Cursor) -> Result<Page, CrmError> {
        let first = cursor.behind().is_none();
        let (rows, answered, size) = self.rows::<R>(question, cursor.behind()).await?;
        let me = question.me.id;
        let last = rows
            .last()
            .filter(|_| rows.len() >= size)
            .map(|row| row.head(me).id);
        let met: BTreeSet<i64> = rows.iter().map(|row| row.head(me).id).collect();
        let mut changes = Vec::new();
        let mut living: Vec<R> = Vec::new();
        for row in rows {
            let head = row.head(me);
            if !cursor.is_news(&head.id.to_string(), head.modified, answered) {
                continue;
            }
            if head.archived {
                changes.push((head.modified, CrmChange::Deleted(question.form.id(head.id))));
            } else {
                living.push(row);
            }
        }
        if let (Form::Event, true, Some(since)) = (question.form, first, question.since) {
            living.extend(self.touched::<R>(question, since, answered, met, cursor).await?);
        }
        let around = around(&self.client, &self.users, question.login, &question.me, &living).await?;
        let living = living.into_iter().filter_map(|row| into_record(row, &around));
        changes.extend(living.map(|record| (record.modified, CrmChange::Upserted(Box::new(record)))));
        changes.sort_by_key(|(at, _)| *at);
        cursor.turn_page(answered, last);
        Ok(Page {
            changes: changes.into_iter().map(|(_, change)| change).collect(),
            more: last.is_some(),
        })
    }

    async fn rows<R: Row>(
        &self,
        question: &Question<'_>,
        behind: Option<i64>,
    ) -> Result<(Vec<R>, Option<DateTime<Utc>>, usize), CrmError> {
        let mut sizes = PAGE_SIZES.into_iter().peekable();
        while let Some(size) = sizes.next() {
            let mut domain = own(question);
            if let Some(since) = question.since {
                domain = domain
                    .archived_too()
                    .and("write_date", ">=", value::write_instant(since));
            } else if question.form == Form::Activity {
                let since = self.client.clock().now() - DONE_LATELY;
                let lately = json!(value::write_instant(since));
                domain = domain
                    .archived_too()
                    .and_either(("active", "=", json!(true)), ("write_date", ">=", lately));
            }
            if let Some(id) = behind {
                domain = domain.and("id", ">", id);
            }
            let call = self.search(question, domain).with("limit", size);
            match self.client.call(question.login, &call).await {
                Err(error) if sizes.peek().is_some() && is_too_large(&error) => {}
                Err(error) => return Err(error),
                Ok(answer) => return Ok((answer.json()?, answer.at, size)),
            }
        }
        Err(CrmError::Unintelligible {
            what: "no page is small enough",
        })
    }

    fn search(&self, question: &Question<'_>, domain: Domain) -> Call {
        Call::of(question.form.model(), "search_read")
            .with("domain", domain)
            .with("fields", json!(question.columns))
            .with("order", "id")
    }

    /// The events whose attendees changed, besides those that are news anyway.
    async fn touched<R: Row>(
        &self,
        question: &Question<'_>,
        since: DateTime<Utc>,
        answered: Option<DateTime<Utc>>,
        met: BTreeSet<i64>,
        cursor: &mut Cursor,
    ) -> Result<Vec<R>, CrmError> {
        let domain = Domain::default()
            .and("event_id.user_id", "=", question.me.id)
            .and("write_date", ">=", value::write_instant(since));
        let call = Call::of("calendar.attendee", "search_read")
            .with("domain", domain)
            .with("fields", json!(["event_id", "write_date"]))
            .with("order", "id");
        let touched: Vec<Touched> = self.client.ask(question.login, &call).await?;
        let mut events = BTreeSet::new();
        for attendee in touched {
            // All of them are taken in, so that none of an event that is met is news the next time.
            let news = cursor.is_news(
                &format!("attendee {}", attendee.id),
                attendee.write_date,
                answered,
            );
            events.extend(attendee.event_id.filter(|event| news && !met.contains(event)));
        }
        if events.is_empty() {
            return Ok(Vec::new());
        }
        let domain = own(question).and("id", "in", json!(events));
        self.client
            .ask(question.login, &self.search(question, domain))
            .await
    }
}

/// The user's own records.
fn own(question: &Question<'_>) -> Domain {
    let me = question.me.id;
    match question.form {
        Form::Event | Form::Activity | Form::Mail => Domain::default().and("user_id", "=", me),
        Form::Contact => Domain::default()
            .and("user_id", "=", me)
            .and("is_company", "=", false)
            .and("partner_share", "=", true),
        Form::Task => Domain::default().and("user_ids", "in", json!([me])),
    }
}
