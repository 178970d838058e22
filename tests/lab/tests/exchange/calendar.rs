//! Calendars: windows, series, and who is told of what.

use chrono::{Duration, Utc};
use holdfast_lab::ledger::Noticed;

use crate::office::{Office, create, delete, set};

fn day(days: i64) -> String {
    (Utc::now() + Duration::days(days)).format("%Y-%m-%d").to_string()
}

/// An event from nine to ten.
fn event(subject: &str, days: i64, rest: &str) -> String {
    let day = day(days);
    format!(
        "<t:CalendarItem><t:Subject>{subject}</t:Subject><t:Start>{day}T09:00:00Z</t:Start>\
         <t:End>{day}T10:00:00Z</t:End>{rest}</t:CalendarItem>"
    )
}

fn attendees(addresses: &[&str]) -> String {
    let list: String = addresses
        .iter()
        .map(|address| {
            format!(
                "<t:Attendee><t:Mailbox><t:EmailAddress>{address}</t:EmailAddress></t:Mailbox></t:Attendee>"
            )
        })
        .collect();
    format!("<t:RequiredAttendees>{list}</t:RequiredAttendees>")
}

fn daily(days: i64, count: u32) -> String {
    format!(
        "<t:Recurrence><t:DailyRecurrence><t:Interval>1</t:Interval></t:DailyRecurrence><t:NumberedRecurrence>\
         <t:StartDate>{}</t:StartDate><t:NumberOfOccurrences>{count}</t:NumberOfOccurrences></t:NumberedRecurrence>\
         </t:Recurrence><t:StartTimeZone Id=\"UTC\"/><t:EndTimeZone Id=\"UTC\"/>",
        day(days)
    )
}

fn view(from: i64, until: i64) -> String {
    format!(
        "<m:FindItem Traversal=\"Shallow\"><m:ItemShape><t:BaseShape>Default</t:BaseShape><t:AdditionalProperties>\
         <t:FieldURI FieldURI=\"calendar:CalendarItemType\"/></t:AdditionalProperties></m:ItemShape>\
         <m:CalendarView StartDate=\"{}T00:00:00Z\" EndDate=\"{}T00:00:00Z\"/><m:ParentFolderIds>\
         <t:DistinguishedFolderId Id=\"calendar\"/></m:ParentFolderIds></m:FindItem>",
        day(from),
        day(until)
    )
}

/// A lab whose calendars hold nothing in the far future.
const FAR: i64 = 400;

#[tokio::test]
async fn a_calendar_item_is_written_only_by_who_says_whom_to_tell() {
    let office = Office::new().await;
    let silent =
        create("calendar", &event("A", FAR, "")).replace(" SendMeetingInvitations=\"SendToNone\"", "");
    let answer = office.ask(0, &silent).await;
    assert_eq!(answer.codes(), ["ErrorSendMeetingInvitationsRequired"]);

    let made = office.create(0, "calendar", &event("A", FAR, "")).await.item();
    let subject = "<t:CalendarItem><t:Subject>B</t:Subject></t:CalendarItem>";
    let silent = set("NeverOverwrite", &made, "item:Subject", subject)
        .replace(" SendMeetingInvitationsOrCancellations=\"SendToNone\"", "");
    let answer = office.ask(0, &silent).await;
    assert_eq!(
        answer.codes(),
        ["ErrorSendMeetingInvitationsOrCancellationsRequired"]
    );

    let silent = delete(&made).replace(" SendMeetingCancellations=\"SendToNone\"", "");
    let answer = office.ask(0, &silent).await;
    assert_eq!(answer.codes(), ["ErrorSendMeetingCancellationsRequired"]);
}

#[tokio::test]
async fn a_meeting_written_with_send_to_none_disturbs_nobody() {
    let office = Office::new().await;
    let before = office.lab.parts.ledger.entries().len();
    let other = office.person(1).smtp.clone();
    let meeting = event("Quiet", FAR, &attendees(&[&other, "out@other.example"]));
    let made = office.create(0, "calendar", &meeting).await.item();
    let subject = "<t:CalendarItem><t:Subject>Still quiet</t:Subject></t:CalendarItem>";
    let made = office
        .ask(0, &set("NeverOverwrite", &made, "item:Subject", subject))
        .await
        .good()
        .item();
    office.ask(0, &delete(&made)).await.good();
    assert_eq!(office.lab.parts.ledger.entries().len(), before);
}

#[tokio::test]
async fn an_invitation_names_every_addressee_inside_and_outside() {
    let office = Office::new().await;
    let other = office.person(1).smtp.clone();
    let meeting = event("Loud", FAR, &attendees(&[&other, "out@other.example"]));
    let loud = create("calendar", &meeting).replace("SendToNone", "SendToAllAndSaveCopy");
    office.ask(0, &loud).await.good();
    let entries = office.lab.parts.ledger.entries();
    for address in [other.as_str(), "out@other.example"] {
        let told = entries.iter().any(
            |noticed| matches!(noticed, Noticed::Invitation { to, .. } if to.iter().any(|to| to == address)),
        );
        assert!(told, "{address} is not among {entries:?}");
    }
    let theirs = office.ask(1, &view(FAR - 1, FAR + 2)).await.good();
    assert!(theirs.texts("t:Subject").contains(&"Loud".to_owned()));
}

#[tokio::test]
async fn an_answer_reaches_the_organiser_unless_it_is_only_saved() {
    let office = Office::new().await;
    let other = office.person(1).smtp.clone();
    let loud = create("calendar", &event("Asked", FAR, &attendees(&[&other])))
        .replace("SendToNone", "SendToAllAndSaveCopy");
    let mine = office.ask(0, &loud).await.good().item();
    let theirs = office.ask(1, &view(FAR - 1, FAR + 2)).await.good().item();
    for (disposition, known) in [("SaveOnly", "Unknown"), ("SendAndSaveCopy", "Accept")] {
        let accept = format!(
            "<m:CreateItem MessageDisposition=\"{disposition}\"><m:Items><t:AcceptItem>\
             <t:ReferenceItemId {theirs}/></t:AcceptItem></m:Items></m:CreateItem>"
        );
        office.ask(1, &accept).await.good();
        let read = office.read(0, &mine).await.good();
        let attendee = read
            .text
            .split("<t:RequiredAttendees>")
            .nth(1)
            .unwrap_or_default();
        let answers = crate::office::texts(attendee, "t:ResponseType");
        assert_eq!(answers, [known], "after {disposition}");
    }
}

#[tokio::test]
async fn a_view_takes_series_apart_and_leaves_out_what_was_deleted() {
    let office = Office::new().await;
    let master = office
        .create(0, "calendar", &event("Series", FAR, &daily(FAR, 5)))
        .await
        .item();
    let listed = office.ask(0, &view(FAR - 1, FAR + 10)).await.good();
    assert_eq!(listed.texts("t:CalendarItemType"), ["Occurrence"; 5]);
    let id = master
        .split(' ')
        .next()
        .unwrap()
        .replace("Id=", "RecurringMasterId=");
    let second = delete(&master).replace(
        &format!("<t:ItemId {master}/>"),
        &format!("<t:OccurrenceItemId {id} InstanceIndex=\"2\"/>"),
    );
    office.ask(0, &second).await.good();
    let listed = office.ask(0, &view(FAR - 1, FAR + 10)).await.good();
    assert_eq!(listed.texts("t:CalendarItemType").len(), 4);
    let read = office
        .ask(
            0,
            &crate::office::get(&format!("<t:OccurrenceItemId {id} InstanceIndex=\"2\"/>")),
        )
        .await;
    assert_eq!(read.codes(), ["ErrorCalendarOccurrenceIsDeletedFromRecurrence"]);
    let beyond = office
        .ask(
            0,
            &crate::office::get(&format!("<t:OccurrenceItemId {id} InstanceIndex=\"6\"/>")),
        )
        .await;
    assert_eq!(
        beyond.codes(),
        ["ErrorCalendarOccurrenceIndexIsOutOfRecurrenceRange"]
    );
}

#[tokio::test]
async fn a_view_of_more_than_two_years_or_a_thousand_events_is_refused() {
    let office = Office::new().await;
    let long = office.ask(0, &view(0, 800)).await;
    assert_eq!(long.codes(), ["ErrorCalendarViewRangeTooBig"]);
    for hour in ["a", "b", "c"] {
        let series = event(hour, FAR, &daily(FAR, 400));
        office.create(0, "calendar", &series).await;
    }
    let many = office.ask(0, &view(FAR, FAR + 399)).await;
    assert_eq!(many.codes(), ["ErrorExceededFindCountLimit"]);
    assert!(many.text.contains("PolicyLimit"));
}

#[tokio::test]
async fn all_copies_of_a_meeting_share_one_clean_global_object_id() {
    let office = Office::new().await;
    let other = office.person(1).smtp.clone();
    let loud = create("calendar", &event("Shared", FAR, &attendees(&[&other])))
        .replace("SendToNone", "SendToAllAndSaveCopy");
    let mine = office.ask(0, &loud).await.good().item();
    let theirs = office.ask(1, &view(FAR - 1, FAR + 2)).await.good().item();
    let ask = |item: &str| {
        format!(
            "<m:GetItem><m:ItemShape><t:BaseShape>IdOnly</t:BaseShape><t:AdditionalProperties><t:ExtendedFieldURI \
             DistinguishedPropertySetId=\"Meeting\" PropertyId=\"35\" PropertyType=\"Binary\"/>\
             </t:AdditionalProperties></m:ItemShape><m:ItemIds><t:ItemId {item}/></m:ItemIds></m:GetItem>"
        )
    };
    let mine = office.ask(0, &ask(&mine)).await.good().texts("t:Value");
    assert_eq!(mine.len(), 1);
    assert_eq!(office.ask(1, &ask(&theirs)).await.good().texts("t:Value"), mine);
}
