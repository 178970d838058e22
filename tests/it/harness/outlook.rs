//! A person at Outlook: series made and edited over the wire in ways that our connector has no words for, and
//! the calendar as the server itself shows it. Knows nothing of the house.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use holdfast_lab::Lab;
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper_util::rt::TokioIo;
use std::collections::BTreeSet;
use tokio::net::TcpStream;

const SPACES: &str = "xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\" \
    xmlns:t=\"http://schemas.microsoft.com/exchange/services/2006/types\" \
    xmlns:m=\"http://schemas.microsoft.com/exchange/services/2006/messages\"";

/// One entry of a calendar: title, begin, end.
pub type Entry = (String, DateTime<Utc>, DateTime<Utc>);

/// Outlook, opened by one person.
pub struct Outlook<'a> {
    lab: &'a Lab,
    person: usize,
}

impl<'a> Outlook<'a> {
    pub fn of(lab: &'a Lab, person: usize) -> Self {
        Self { lab, person }
    }

    /// Calls an operation; every response message must be a success.
    pub async fn ask(&self, operation: &str) -> String {
        let url = url::Url::parse(self.lab.exchange_http_url.as_deref().unwrap()).unwrap();
        let stream = TcpStream::connect((url.host_str().unwrap(), url.port().unwrap()))
            .await
            .unwrap();
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .unwrap();
        tokio::spawn(connection);
        let who = &self.lab.cast.people[self.person];
        let account = STANDARD.encode(format!("{}:{}", who.login, who.password));
        let body = format!(
            "<s:Envelope {SPACES}><s:Header><t:RequestServerVersion Version=\"Exchange2016\"/></s:Header>\
             <s:Body>{operation}</s:Body></s:Envelope>"
        );
        let request = Request::post(url.path())
            .header("host", url.host_str().unwrap())
            .header("content-type", "text/xml; charset=utf-8")
            .header("authorization", format!("Basic {account}"))
            .body(Full::new(Bytes::from(body)))
            .unwrap();
        let answer = sender.send_request(request).await.unwrap();
        let text = answer.into_body().collect().await.unwrap().to_bytes();
        let text = String::from_utf8(text.to_vec()).unwrap();
        assert!(text.contains("NoError"), "{operation}\n{text}");
        assert!(!text.contains("ResponseClass=\"Error\""), "{operation}\n{text}");
        text
    }

    /// Makes a calendar item; `rest` are the elements after its times, in the schema's order. Gives its id.
    pub async fn create(&self, subject: &str, start: DateTime<Utc>, minutes: i64, rest: &str) -> String {
        self.create_as(&format!("<t:Subject>{subject}</t:Subject>"), start, minutes, rest)
            .await
    }

    /// The same with other elements before its times.
    pub async fn create_as(&self, head: &str, start: DateTime<Utc>, minutes: i64, rest: &str) -> String {
        let item = format!(
            "<t:CalendarItem>{head}<t:Start>{}</t:Start><t:End>{}</t:End>{rest}</t:CalendarItem>",
            wire(start),
            wire(start + TimeDelta::minutes(minutes))
        );
        let answer = self
            .ask(&format!(
                "<m:CreateItem MessageDisposition=\"SaveOnly\" SendMeetingInvitations=\"SendToNone\"><m:SavedItemFolderId>\
                 <t:DistinguishedFolderId Id=\"calendar\"/></m:SavedItemFolderId><m:Items>{item}</m:Items></m:CreateItem>"
            ))
            .await;
        attribute(&answer, "Id")
    }

    /// Invites these people, who find the meeting in their calendars; `rest` follows the attendees.
    pub async fn invite(
        &self,
        guests: &[&str],
        subject: &str,
        (start, minutes): (DateTime<Utc>, i64),
        rest: &str,
    ) {
        let guest = |address: &&str| {
            format!(
                "<t:Attendee><t:Mailbox><t:EmailAddress>{address}</t:EmailAddress></t:Mailbox></t:Attendee>"
            )
        };
        let guests: String = guests.iter().map(guest).collect();
        let (start, end) = (wire(start), wire(start + TimeDelta::minutes(minutes)));
        self.ask(&format!(
            "<m:CreateItem MessageDisposition=\"SaveOnly\" SendMeetingInvitations=\"SendToAllAndSaveCopy\">\
             <m:SavedItemFolderId><t:DistinguishedFolderId Id=\"calendar\"/></m:SavedItemFolderId><m:Items>\
             <t:CalendarItem><t:Subject>{subject}</t:Subject><t:Start>{start}</t:Start><t:End>{end}</t:End>\
             <t:RequiredAttendees>{guests}</t:RequiredAttendees>{rest}</t:CalendarItem></m:Items></m:CreateItem>",
        ))
        .await;
    }

    /// Makes a folder below a well-known one; `element` says of which sort, as `ContactsFolder`. Gives its id.
    pub async fn make_folder(&self, parent: &str, element: &str, name: &str) -> String {
        let made = self
            .ask(&format!(
                "<m:CreateFolder><m:ParentFolderId><t:DistinguishedFolderId Id=\"{parent}\"/></m:ParentFolderId>\
                 <m:Folders><t:{element}><t:DisplayName>{name}</t:DisplayName></t:{element}></m:Folders>\
                 </m:CreateFolder>"
            ))
            .await;
        let (_, id) = made.split_once("<t:FolderId Id=\"").unwrap();
        id.split('"').next().unwrap().to_owned()
    }

    /// Gives a folder another name.
    pub async fn rename_folder(&self, folder: &str, element: &str, name: &str) {
        self.ask(&format!(
            "<m:UpdateFolder><m:FolderChanges><t:FolderChange><t:FolderId Id=\"{folder}\"/><t:Updates>\
             <t:SetFolderField><t:FieldURI FieldURI=\"folder:DisplayName\"/><t:{element}><t:DisplayName>{name}\
             </t:DisplayName></t:{element}></t:SetFolderField></t:Updates></t:FolderChange></m:FolderChanges>\
             </m:UpdateFolder>"
        ))
        .await;
    }

    /// Throws a folder away, with all that is in it.
    pub async fn throw_away_folder(&self, folder: &str) {
        self.ask(&format!(
            "<m:DeleteFolder DeleteType=\"MoveToDeletedItems\"><m:FolderIds><t:FolderId Id=\"{folder}\"/>\
             </m:FolderIds></m:DeleteFolder>"
        ))
        .await;
    }

    /// Makes an item in a folder that `name` names; gives its id.
    pub async fn make_in(&self, name: &str, item: &str) -> String {
        let sort = match item.starts_with("<t:CalendarItem>") {
            true => " SendMeetingInvitations=\"SendToNone\"",
            false => "",
        };
        let made = self
            .ask(&format!(
                "<m:CreateItem MessageDisposition=\"SaveOnly\"{sort}><m:SavedItemFolderId>{name}</m:SavedItemFolderId>\
                 <m:Items>{item}</m:Items></m:CreateItem>"
            ))
            .await;
        attribute(&made, "Id")
    }

    /// Moves an item into a folder that `name` names; gives its new id.
    pub async fn move_to(&self, name: &str, id: &str) -> String {
        let item = item(id);
        let moved = self
            .ask(&format!(
                "<m:MoveItem><m:ToFolderId>{name}</m:ToFolderId><m:ItemIds>{item}</m:ItemIds></m:MoveItem>"
            ))
            .await;
        attribute(&moved, "Id")
    }

    /// Sets properties of what `name` names: an item, or the n-th date of a series.
    pub async fn set(&self, name: &str, fields: &[(&str, String)]) {
        let sets: String = fields
            .iter()
            .map(|(uri, element)| {
                format!(
                    "<t:SetItemField><t:FieldURI FieldURI=\"{uri}\"/><t:CalendarItem>{element}</t:CalendarItem>\
                     </t:SetItemField>"
                )
            })
            .collect();
        self.update(name, &sets).await;
    }

    /// Empties a property.
    pub async fn clear(&self, name: &str, uri: &str) {
        let clear = format!("<t:DeleteItemField><t:FieldURI FieldURI=\"{uri}\"/></t:DeleteItemField>");
        self.update(name, &clear).await;
    }

    async fn update(&self, name: &str, updates: &str) {
        self.ask(&format!(
            "<m:UpdateItem ConflictResolution=\"AlwaysOverwrite\" SendMeetingInvitationsOrCancellations=\"SendToNone\">\
             <m:ItemChanges><t:ItemChange>{name}<t:Updates>{updates}</t:Updates></t:ItemChange></m:ItemChanges>\
             </m:UpdateItem>"
        ))
        .await;
    }

    /// Moves what `name` names.
    pub async fn set_times(&self, name: &str, start: DateTime<Utc>, minutes: i64) {
        let (start, end) = (wire(start), wire(start + TimeDelta::minutes(minutes)));
        self.set(
            name,
            &[
                ("calendar:Start", format!("<t:Start>{start}</t:Start>")),
                ("calendar:End", format!("<t:End>{end}</t:End>")),
            ],
        )
        .await;
    }

    /// Deletes what `name` names.
    pub async fn delete(&self, name: &str) {
        self.ask(&format!(
            "<m:DeleteItem DeleteType=\"MoveToDeletedItems\" SendMeetingCancellations=\"SendToNone\"><m:ItemIds>{name}\
             </m:ItemIds></m:DeleteItem>"
        ))
        .await;
    }

    /// What the calendar shows between two days, series taken apart by the server itself.
    pub async fn view(&self, from: NaiveDate, until: NaiveDate) -> BTreeSet<Entry> {
        let mut shown = BTreeSet::new();
        let mut day = from;
        while day < until {
            // A view shows a thousand entries at most.
            let next = (day + TimeDelta::days(30)).min(until);
            let answer = self
                .ask(&format!(
                    "<m:FindItem Traversal=\"Shallow\"><m:ItemShape><t:BaseShape>Default</t:BaseShape></m:ItemShape>\
                     <m:CalendarView StartDate=\"{day}T00:00:00Z\" EndDate=\"{next}T00:00:00Z\"/><m:ParentFolderIds>\
                     <t:DistinguishedFolderId Id=\"calendar\"/></m:ParentFolderIds></m:FindItem>"
                ))
                .await;
            for item in answer.split("<t:CalendarItem>").skip(1) {
                let at = |name: &str| text(item, name).parse::<DateTime<Utc>>().unwrap();
                shown.insert((text(item, "t:Subject"), at("t:Start"), at("t:End")));
            }
            day = next;
        }
        shown
    }
}

/// The name of a folder by its id.
pub fn folder(id: &str) -> String {
    format!("<t:FolderId Id=\"{id}\"/>")
}

/// The name of a well-known folder.
pub fn known(name: &str) -> String {
    format!("<t:DistinguishedFolderId Id=\"{name}\"/>")
}

/// The name of an item.
pub fn item(id: &str) -> String {
    format!("<t:ItemId Id=\"{id}\"/>")
}

/// The name of the n-th date of a series.
pub fn nth(master: &str, number: usize) -> String {
    format!("<t:OccurrenceItemId RecurringMasterId=\"{master}\" InstanceIndex=\"{number}\"/>")
}

/// The rule of a series with its zone, as elements of a new item.
pub fn rule(pattern: &str, range: &str, zone: &str) -> String {
    format!(
        "<t:Recurrence>{pattern}{range}</t:Recurrence><t:StartTimeZone Id=\"{zone}\"/><t:EndTimeZone Id=\"{zone}\"/>"
    )
}

fn wire(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn text(xml: &str, name: &str) -> String {
    let (_, rest) = xml.split_once(&format!("<{name}>")).unwrap_or(("", ""));
    rest.split('<').next().unwrap_or_default().to_owned()
}

fn attribute(xml: &str, name: &str) -> String {
    let (_, item) = xml.split_once("<t:ItemId ").unwrap();
    let (_, value) = item.split_once(&format!("{name}=\"")).unwrap();
    value.split('"').next().unwrap().to_owned()
}
