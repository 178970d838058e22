//! Answers of the shape that the reference shows, and the records that they mean.

use super::*;
use crate::foundation::content::Content;
use crate::mailbox::exchange::wire::item::RawItem;
use crate::mailbox::exchange::wire::{answer, get_item};
use crate::record::email::{Direction, Protection};
use crate::record::event::{Attendance, Place, Response, Sensitivity, ShowAs, When};
use crate::record::task::{Priority, Status};
use chrono::NaiveDate;

/// The item inside of a GetItem answer.
fn item(inside: &str) -> RawItem {
    let text = format!(
        r#"<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>
        <m:GetItemResponse xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages"
            xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types"><m:ResponseMessages>
        <m:GetItemResponseMessage ResponseClass="Success"><m:ResponseCode>NoError</m:ResponseCode>
        <m:Items>{inside}</m:Items></m:GetItemResponseMessage>
        </m:ResponseMessages></m:GetItemResponse></s:Body></s:Envelope>"#
    );
    let read = answer::read(&text, get_item::read).expect("well-formed");
    let messages = read.outcome.expect("no fault");
    let items: Vec<Vec<RawItem>> = messages
        .into_iter()
        .map(|message| message.expect("success"))
        .collect();
    items.into_iter().flatten().next().expect("one item")
}

const MEETING: &str = r#"<t:CalendarItem>
    <t:ItemId Id="AAMk=" ChangeKey="DwAA" /><t:Subject>Quartal</t:Subject><t:Sensitivity>Private</t:Sensitivity>
    <t:Body BodyType="Text">Zeile 1&#xD;
Zeile 2</t:Body>
    <t:Categories><t:String>Kunde</t:String><t:String>Rot</t:String></t:Categories>
    <t:ReminderIsSet>true</t:ReminderIsSet><t:ReminderMinutesBeforeStart>15</t:ReminderMinutesBeforeStart>
    <t:ExtendedProperty><t:ExtendedFieldURI DistinguishedPropertySetId="Meeting" PropertyId="35" PropertyType="Binary" />
      <t:Value>BAAAAIIA4AB0xbcQGoLgCAAAAAA=</t:Value></t:ExtendedProperty>
    <t:LastModifiedTime>2026-03-01T08:00:00Z</t:LastModifiedTime>
    <t:Start>2026-03-02T09:00:00+01:00</t:Start><t:End>2026-03-02T10:00:00+01:00</t:End>
    <t:IsAllDayEvent>false</t:IsAllDayEvent><t:LegacyFreeBusyStatus>OOF</t:LegacyFreeBusyStatus>
    <t:Location>Halle 3</t:Location><t:IsMeeting>true</t:IsMeeting><t:IsCancelled>0</t:IsCancelled>
    <t:CalendarItemType>Exception</t:CalendarItemType><t:MyResponseType>Accept</t:MyResponseType>
    <t:Organizer><t:Mailbox><t:Name>Zoe</t:Name><t:EmailAddress>zoe@outside.example</t:EmailAddress>
      <t:RoutingType>SMTP</t:RoutingType></t:Mailbox></t:Organizer>
    <t:RequiredAttendees><t:Attendee><t:Mailbox><t:Name>ann@outside.example</t:Name>
      <t:EmailAddress>ann@outside.example</t:EmailAddress></t:Mailbox><t:ResponseType>Tentative</t:ResponseType>
      </t:Attendee></t:RequiredAttendees>
    <t:OptionalAttendees><t:Attendee><t:Mailbox><t:EmailAddress>bob@outside.example</t:EmailAddress></t:Mailbox>
      <t:ResponseType>Unknown</t:ResponseType></t:Attendee></t:OptionalAttendees>
    <t:StartTimeZone Id="W. Europe Standard Time" Name="(UTC+01:00) Amsterdam, Berlin, Bern, Rom" /></t:CalendarItem>"#;

#[test]
fn a_meeting_that_somebody_else_called_is_read_with_all_that_it_says() {
    let mut raw = item(MEETING);
    assert_eq!(raw.categories, ["Kunde", "Rot"]);
    assert_eq!(
        raw.modified.map(|at| at.to_rfc3339()).as_deref(),
        Some("2026-03-01T08:00:00+00:00")
    );
    let Ok(event) = event::read(&mut raw, None) else {
        panic!("a meeting with times")
    };
    assert_eq!(event.body.expose(), "Zeile 1\r\nZeile 2");
    assert_eq!(
        (event.place, event.show_as, event.sensitivity),
        (Place::Occurrence, ShowAs::OutOfOffice, Sensitivity::Private)
    );
    assert_eq!(
        (event.is_organizer, event.cancelled, event.reminder_minutes),
        (false, false, Some(15))
    );
    assert_eq!(event.zone, Some(Tz::Europe__Berlin));
    assert_eq!(event.meeting_id.map(|id| id.len()), Some(20));
    let When::Timed { start, end } = event.when else {
        panic!("a timed meeting")
    };
    assert_eq!(
        (start.to_rfc3339().as_str(), (end - start).num_minutes()),
        ("2026-03-02T08:00:00+00:00", 60)
    );
    let asked: Vec<_> = event
        .attendees
        .iter()
        .map(|one| (one.attendance, one.response))
        .collect();
    assert_eq!(
        asked,
        [
            (Attendance::Required, Response::Tentative),
            (Attendance::Optional, Response::None)
        ]
    );
    // A name that only repeats the address is none.
    assert!(event.attendees.iter().all(|one| one.person.name.is_none()));
    assert_eq!(
        event
            .organizer
            .and_then(|person| person.name)
            .map(Content::into_inner)
            .as_deref(),
        Some("Zoe")
    );
}

fn whole_days(start: &str, end: &str, zone: &str) -> When {
    let mut raw = item(&format!(
        r#"<t:CalendarItem><t:ItemId Id="A"/><t:Start>{start}</t:Start><t:End>{end}</t:End>
        <t:IsAllDayEvent>true</t:IsAllDayEvent><t:StartTimeZone Id="{zone}"/></t:CalendarItem>"#
    ));
    let Ok(event) = event::read(&mut raw, None) else {
        panic!("an event with times")
    };
    event.when
}

#[test]
fn whole_days_are_read_in_the_zone_in_which_they_were_made() {
    let day = |day| NaiveDate::from_ymd_opt(2026, 7, day).expect("a date");
    let two_days = When::AllDay {
        first: day(14),
        last: day(15),
    };
    for (start, end, zone) in [
        (
            "2026-07-13T22:00:00Z",
            "2026-07-15T22:00:00Z",
            "W. Europe Standard Time",
        ),
        (
            "2026-07-14T04:00:00Z",
            "2026-07-16T04:00:00Z",
            "Eastern Standard Time",
        ),
        (
            "2026-07-13T15:00:00Z",
            "2026-07-15T15:00:00Z",
            "Tokyo Standard Time",
        ),
        (
            "2026-07-13T22:00:00Z",
            "2026-07-15T22:00:00Z",
            "tzone://Microsoft/Custom",
        ),
        (
            "2026-07-14T00:00:00Z",
            "2026-07-16T00:00:00Z",
            "tzone://Microsoft/Utc",
        ),
    ] {
        assert_eq!(whole_days(start, end, zone), two_days, "{zone}");
    }
}

#[test]
fn a_calendar_item_without_times_is_refused_and_not_guessed() {
    let mut raw = item(r#"<t:CalendarItem><t:ItemId Id="A"/><t:Subject>x</t:Subject></t:CalendarItem>"#);
    assert!(event::read(&mut raw, None).is_err());
}

#[test]
fn a_contact_gives_the_first_address_and_the_business_one_of_each_dictionary() {
    let mut raw = item(
        r#"<t:Contact><t:ItemId Id="A" ChangeKey="1"/><t:Sensitivity>Private</t:Sensitivity><t:GivenName>Zoë</t:GivenName>
        <t:EmailAddresses><t:Entry Key="EmailAddress2">no@x.example</t:Entry>
          <t:Entry Key="EmailAddress1" Name="Z" RoutingType="SMTP">zoe@x.example</t:Entry></t:EmailAddresses>
        <t:PhysicalAddresses><t:Entry Key="Home"><t:City>Ulm</t:City></t:Entry>
          <t:Entry Key="Business"><t:Street>Weg 1</t:Street><t:City>Köln</t:City><t:CountryOrRegion>DE</t:CountryOrRegion>
          <t:PostalCode>50667</t:PostalCode></t:Entry></t:PhysicalAddresses>
        <t:PhoneNumbers><t:Entry Key="MobilePhone">+49 170</t:Entry><t:Entry Key="Pager">1</t:Entry></t:PhoneNumbers>
        <t:Surname>Lee</t:Surname></t:Contact>"#,
    );
    let contact = contact::read(&mut raw);
    assert_eq!(contact.email.expose(), "zoe@x.example");
    assert_eq!(
        (
            contact.address.city.expose().as_str(),
            contact.address.postal_code.expose().as_str()
        ),
        ("Köln", "50667")
    );
    assert_eq!(
        (
            contact.mobile_phone.expose().as_str(),
            contact.family_name.expose().as_str()
        ),
        ("+49 170", "Lee")
    );
    assert!(contact.is_private && contact.business_phone.is_empty());
}

#[test]
fn a_task_is_due_on_its_day_in_utc_whatever_the_hour() {
    let mut raw = item(
        r#"<t:Task><t:ItemId Id="A" ChangeKey="1"/><t:Subject>Angebot</t:Subject><t:Importance>High</t:Importance>
        <t:ReminderDueBy>2026-03-01T08:00:00Z</t:ReminderDueBy><t:ReminderIsSet>false</t:ReminderIsSet>
        <t:DueDate>2026-03-02T00:00:00Z</t:DueDate><t:IsRecurring>true</t:IsRecurring><t:Status>WaitingOnOthers</t:Status></t:Task>"#,
    );
    let task = task::read(&mut raw);
    assert_eq!(task.due, NaiveDate::from_ymd_opt(2026, 3, 2));
    assert_eq!(
        (task.status, task.priority, task.reminder, task.is_recurring),
        (Status::Waiting, Priority::High, None, true)
    );
}

fn mail(inside: &str) -> crate::record::email::Email {
    let mut raw = item(&format!(
        r#"<t:Message><t:ItemId Id="A"/>{inside}<t:DateTimeReceived>2026-03-02T08:00:05Z</t:DateTimeReceived></t:Message>"#
    ));
    match email::read(&mut raw, Direction::Received, false) {
        Ok(email) => email,
        Err(_) => panic!("a mail with a time"),
    }
}

#[test]
fn a_mail_whose_body_is_not_ours_to_copy_says_so() {
    let smime = mail("<t:ItemClass>IPM.Note.SMIME.MultipartSigned</t:ItemClass>");
    assert_eq!(smime.protection, Some(Protection::Smime));
    let rights = mail(
        r#"<t:ItemClass>IPM.Note</t:ItemClass><t:ExtendedProperty><t:ExtendedFieldURI
        DistinguishedPropertySetId="InternetHeaders" PropertyName="Content-Class" PropertyType="String"/>
        <t:Value>rpmsg.message</t:Value></t:ExtendedProperty>"#,
    );
    assert_eq!(rights.protection, Some(Protection::Rights));
    assert_eq!(mail("<t:ItemClass>IPM.Note</t:ItemClass>").protection, None);
}

#[test]
fn pictures_of_the_body_are_not_counted_as_attachments() {
    let email = mail(
        r#"<t:Attachments><t:FileAttachment><t:AttachmentId Id="1"/><t:Name>a.png</t:Name><t:IsInline>true</t:IsInline>
        </t:FileAttachment><t:ItemAttachment><t:AttachmentId Id="2"/><t:IsInline>false</t:IsInline></t:ItemAttachment>
        <t:FileAttachment><t:AttachmentId Id="3"/></t:FileAttachment></t:Attachments>"#,
    );
    assert_eq!(email.attachments, 2);
}

#[test]
fn a_mail_without_a_time_of_sending_bears_the_time_of_its_arrival() {
    let email = mail(r#"<t:Body BodyType="HTML">&lt;p&gt;x&lt;/p&gt;</t:Body>"#);
    assert_eq!(email.at.to_rfc3339(), "2026-03-02T08:00:05+00:00");
    assert_eq!(
        (email.html.expose().as_str(), email.text.is_empty()),
        ("<p>x</p>", true)
    );
    assert!(email.message_id.is_none() && email.from.is_none());
}
