"""exchangelib against the lab's Exchange: Basic and NTLM with channel binding, every item kind
made, read, changed, moved and deleted, series, synchronisation, impersonation and its refusals,
notifications, named properties, meetings without mail, and the server being busy."""

import datetime
from decimal import Decimal
import hashlib
import uuid

import requests
import requests.adapters
import requests_ntlm
from exchangelib import (
    BASIC,
    DELEGATE,
    IMPERSONATION,
    NTLM,
    Account,
    Attendee,
    CalendarItem,
    Configuration,
    Contact,
    Credentials,
    EWSDate,
    EWSDateTime,
    EWSTimeZone,
    ExtendedProperty,
    FailFast,
    FaultTolerance,
    FileAttachment,
    HTMLBody,
    ItemAttachment,
    Mailbox,
    Message,
    Task,
)
from exchangelib.errors import (
    ErrorImpersonateUserDenied,
    ErrorItemNotFound,
    ErrorNonExistentMailbox,
    ErrorSubscriptionNotFound,
    EWSError,
    UnauthorizedError,
)
from exchangelib.fields import MONDAY, WEDNESDAY
from exchangelib.folders import Messages
from exchangelib.indexed_properties import EmailAddress, PhoneNumber, PhysicalAddress
from exchangelib.properties import AlternateId
from exchangelib.protocol import BaseProtocol
from exchangelib.recurrence import Recurrence, WeeklyPattern

from checks import main

BERLIN = EWSTimeZone("Europe/Berlin")
UTC = EWSTimeZone("UTC")


class Stamp(ExtendedProperty):
    """A named property in a set of our own, as a connector stamps its items."""

    property_set_id = "6f1c3c9e-2a77-4c3f-9d0a-3c5b6a1d2e4f"
    property_name = "truth-stamp"
    property_type = "String"


class CleanGlobalObjectId(ExtendedProperty):
    """What the copies of one meeting have in common."""

    distinguished_property_set_id = "Meeting"
    property_id = 35
    property_type = "Binary"


Message.register("stamp", Stamp)
CalendarItem.register("stamp", Stamp)
CalendarItem.register("clean_goid", CleanGlobalObjectId)


def trusting(ca_file):
    """Makes the library trust the lab's certificate, whatever the environment says."""

    class Adapter(requests.adapters.HTTPAdapter):
        def cert_verify(self, conn, url, verify, cert):
            super().cert_verify(conn=conn, url=url, verify=ca_file, cert=cert)

    BaseProtocol.HTTP_ADAPTER_CLS = Adapter


def account(lab, mailbox, login, password, access=DELEGATE, auth=BASIC, patient=True):
    trusting(lab.exchange["ca_file"])
    configuration = Configuration(
        service_endpoint=lab.exchange["url"],
        auth_type=auth,
        credentials=Credentials(login, password),
        # A refused password is final; a patient client would ask again for more than a minute.
        retry_policy=FaultTolerance(max_wait=60) if patient else FailFast(),
        max_connections=2,
    )
    return Account(mailbox, autodiscover=False, access_type=access, config=configuration, default_timezone=BERLIN)


def own(lab, index, auth=BASIC):
    """A person's mailbox, signed in as that person."""
    person = lab.people[index]
    return account(lab, person["smtp"], person["login"], person["password"], auth=auth)


def impersonated(lab, mailbox, auth=BASIC):
    return account(
        lab,
        mailbox,
        lab.exchange["service_login"],
        lab.exchange["service_password"],
        access=IMPERSONATION,
        auth=auth,
    )


def at(day, hour, minute=0):
    """A time some days from now, in Berlin."""
    date = datetime.date.today() + datetime.timedelta(days=day)
    return EWSDateTime(date.year, date.month, date.day, hour, minute, tzinfo=BERLIN)


def sign_in(lab, checks):
    basic, ntlm = own(lab, 0), own(lab, 0, auth=NTLM)
    checks.equal(ntlm.inbox.total_count, basic.inbox.total_count, "what NTLM and Basic see")
    checks.that(basic.inbox.total_count > 0, "the inbox is not empty")
    build = basic.version.build
    checks.that((build.major_version, build.minor_version) >= (15, 0), f"the server is a current one, not {build}")
    person = lab.people[0]
    for auth in (BASIC, NTLM):
        checks.raises(
            UnauthorizedError,
            lambda auth=auth: account(
                lab, person["smtp"], person["login"], "wrong", auth=auth, patient=False
            ).inbox.total_count,
            f"a wrong password with {auth}",
        )


class OtherChannel(requests_ntlm.HttpNtlmAuth):
    """An NTLM client whose TLS ended somewhere else: its binding is that of another certificate."""

    def _get_server_cert(self, response):
        return hashlib.sha256(b"another certificate").digest()


def channel_binding(lab, checks):
    """The verdict on a right, a missing and a wrong binding is that of the server's setting."""
    protection = lab.exchange["extended_protection"]
    person = lab.people[0]
    login = (person["login"], person["password"])
    cases = {
        "right": (requests_ntlm.HttpNtlmAuth(*login), True),
        "missing": (requests_ntlm.HttpNtlmAuth(*login, send_cbt=False), protection != "require"),
        "wrong": (OtherChannel(*login), protection == "off"),
    }
    envelope = (
        '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"'
        ' xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types"'
        ' xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages">'
        '<s:Header><t:RequestServerVersion Version="Exchange2016"/></s:Header><s:Body><m:GetFolder>'
        "<m:FolderShape><t:BaseShape>IdOnly</t:BaseShape></m:FolderShape>"
        '<m:FolderIds><t:DistinguishedFolderId Id="inbox"/></m:FolderIds></m:GetFolder></s:Body></s:Envelope>'
    )
    for name, (auth, passes) in cases.items():
        answer = requests.post(
            lab.exchange["url"],
            data=envelope.encode(),
            headers={"Content-Type": "text/xml; charset=utf-8"},
            auth=auth,
            verify=lab.exchange["ca_file"],
            timeout=30,
        )
        due = 200 if passes else 401
        checks.equal(answer.status_code, due, f"the status with a {name} binding under {protection}")


def mail(lab, checks):
    me = own(lab, 0)
    body = HTMLBody("<html><body><p>Grüße &amp; 会議 🎉</p></body></html>")
    message = Message(
        account=me,
        folder=me.inbox,
        subject="Truth ♥ <1> & \"2\"",
        body=body,
        to_recipients=[Mailbox(name="Łukasz", email_address="l@other.example")],
        stamp="stamp-1",
        categories=["Žlutá", "Red"],
        importance="High",
    )
    message.attach(FileAttachment(name="plán 1.txt", content=b"\x00\x01attached", content_type="text/plain"))
    message.attach(FileAttachment(name="p.png", content=b"PNG", is_inline=True, content_id="p@x"))
    message.attach(ItemAttachment(name="inner", item=Message(account=me, subject="Inner", body="inner body")))
    message.save()
    found = me.inbox.get(subject="Truth ♥ <1> & \"2\"")
    checks.equal(found.id, message.id, "the mail is found by its subject")
    checks.equal(found.stamp, "stamp-1", "the named property")
    checks.that("会議 🎉" in found.body, "the body's letters")
    checks.equal(found.importance, "High", "the importance")
    checks.equal(found.to_recipients[0].name, "Łukasz", "the receiver's name")
    checks.equal(sorted(found.categories), ["Red", "Žlutá"], "the categories")
    files = {item.name: item for item in found.attachments if isinstance(item, FileAttachment)}
    checks.equal(files["plán 1.txt"].content, b"\x00\x01attached", "an attachment's bytes")
    checks.that(files["p.png"].is_inline, "the inline picture is inline")
    inner = [item for item in found.attachments if isinstance(item, ItemAttachment)]
    checks.equal([item.item.subject for item in inner], ["Inner"], "the attached mail")
    checks.that(b"Subject:" in found.mime_content, "the mail has a MIME text")
    checks.equal([m.id for m in me.inbox.filter(stamp="stamp-1")], [message.id], "the mail is found by its stamp")
    checks.equal(me.inbox.filter(subject__contains="Truth ♥").count(), 1, "a search for a part of the subject")
    change_mail(me, found, checks)


def change_mail(me, message, checks):
    old_key, old_id = message.changekey, message.id
    message.is_read = True
    message.subject = "Truth changed"
    message.save(update_fields=["is_read", "subject"])
    checks.that(message.changekey != old_key, "a change gives another change key")
    folder = Messages(parent=me.inbox, name=f"Truth {uuid.uuid4()}")
    folder.save()
    message.move(folder)
    checks.that(message.id != old_id, "a move gives another id")
    checks.equal(folder.get(id=message.id).subject, "Truth changed", "the mail is in the other folder")
    failures = list(me.fetch([(old_id, None)]))
    checks.that(isinstance(failures[0], ErrorItemNotFound), "the old id is gone")
    message.delete()
    checks.equal(folder.all().count(), 0, "the mail is deleted")
    folder.delete()
    checks.that(folder.name not in [child.name for child in me.inbox.children], "the folder is deleted")


def pages(lab, checks):
    me = own(lab, 0)
    total = me.inbox.all().count()
    query = me.inbox.all().only("subject", "datetime_received").order_by("-datetime_received")
    query.page_size = 7
    found = list(query)
    checks.equal(len(found), total, "all pages together")
    times = [item.datetime_received for item in found]
    checks.equal(times, sorted(times, reverse=True), "the order asked for")
    middle = times[len(times) // 2]
    newer = me.inbox.filter(datetime_received__gt=middle).count()
    checks.equal(newer, len([time for time in times if time > middle]), "a search by time")
    whole = list(me.fetch(ids=[(item.id, item.changekey) for item in found[:50]]))
    checks.equal([item.id for item in whole], [item.id for item in found[:50]], "fetching keeps the order")


def appointments(lab, checks):
    me = own(lab, 0)
    item = CalendarItem(
        account=me,
        folder=me.calendar,
        subject="Truth appointment",
        start=at(40, 9),
        end=at(40, 10),
        location="Zürich",
        body="text",
        legacy_free_busy_status="OOF",
        sensitivity="Private",
        reminder_minutes_before_start=30,
        stamp="event-1",
    )
    item.save(send_meeting_invitations="SendToNone")
    found = me.calendar.get(stamp="event-1")
    checks.equal((found.start, found.end), (at(40, 9), at(40, 10)), "the times")
    checks.equal(found.legacy_free_busy_status, "OOF", "free or busy")
    checks.equal(found.sensitivity, "Private", "the sensitivity")
    checks.equal(found.reminder_minutes_before_start, 30, "the reminder")
    checks.that(found.uid and found.clean_goid, "it has a UID and a CleanGlobalObjectId")
    found.start, found.end = at(40, 11), at(40, 12)
    found.save(update_fields=["start", "end"], send_meeting_invitations="SendToNone")
    checks.equal(me.calendar.get(stamp="event-1").start, at(40, 11), "the changed time")
    found.delete(send_meeting_cancellations="SendToNone")
    day = datetime.date.today() + datetime.timedelta(days=41)
    start = EWSDate(day.year, day.month, day.day)
    whole = CalendarItem(account=me, folder=me.calendar, subject="Truth day", start=start, end=start, is_all_day=True)
    whole.save(send_meeting_invitations="SendToNone")
    found = me.calendar.get(id=whole.id)
    checks.equal((found.is_all_day, found.start, found.end), (True, start, start), "an all-day event's days")
    found.delete(send_meeting_cancellations="SendToNone")


def series(lab, checks):
    me = own(lab, 0)
    first = at(50, 9)
    rule = Recurrence(pattern=WeeklyPattern(interval=1, weekdays=[MONDAY, WEDNESDAY]), start=first.date(), number=6)
    master = CalendarItem(
        account=me, folder=me.calendar, subject="Truth series", start=first, end=at(50, 10), recurrence=rule
    )
    master.save(send_meeting_invitations="SendToNone")
    master = me.calendar.get(id=master.id)
    checks.equal(master.type, "RecurringMaster", "the type of a series")
    occurrences = [i for i in me.calendar.view(at(45, 0), at(100, 0)) if i.subject == "Truth series"]
    checks.equal(len(occurrences), 6, "the occurrences in a calendar view")
    checks.that(all(i.type == "Occurrence" for i in occurrences), "their type")
    checks.that(all(i.start.astimezone(BERLIN).hour == 9 for i in occurrences), "they stay at nine o'clock")
    second = master.occurrence(index=2).refresh()
    second.subject = "Truth moved"
    second.save(update_fields=["subject"], send_meeting_invitations="SendToNone")
    third = master.occurrence(index=3)
    third.refresh()
    third.delete(send_meeting_cancellations="SendToNone")
    master = me.calendar.get(id=master.id)
    checks.equal(len(master.modified_occurrences or []), 1, "one occurrence is another one")
    checks.equal(len(master.deleted_occurrences or []), 1, "one occurrence is deleted")
    view = me.calendar.view(at(45, 0), at(100, 0))
    names = [i.subject for i in view if i.subject in ("Truth series", "Truth moved")]
    checks.equal(sorted(names), ["Truth moved"] + ["Truth series"] * 4, "what the view shows then")
    exception = [i for i in me.calendar.view(at(45, 0), at(100, 0)) if i.subject == "Truth moved"][0]
    checks.equal(exception.type, "Exception", "the type of the changed one")
    back = exception.recurring_master().refresh()
    checks.equal(back.id, master.id, "its master")
    master.delete(send_meeting_cancellations="SendToNone")
    view = me.calendar.view(at(45, 0), at(100, 0))
    checks.that(not [i for i in view if i.subject.startswith("Truth")], "the series is deleted whole")


def meetings(lab, checks):
    """A meeting that is written without mail disturbs nobody; one that invites does what it says."""
    me = own(lab, 0)
    invited = lab.noticed("invitation")
    attendees = [Attendee(mailbox=Mailbox(email_address=lab.people[1]["smtp"]), response_type="Unknown")]
    item = CalendarItem(
        account=me,
        folder=me.calendar,
        subject="Truth meeting",
        start=at(60, 9),
        end=at(60, 10),
        required_attendees=attendees,
    )
    item.save(send_meeting_invitations="SendToNone")
    item.location = "elsewhere"
    item.save(update_fields=["location"], send_meeting_invitations="SendToNone")
    item.delete(send_meeting_cancellations="SendToNone")
    checks.equal(lab.noticed("invitation"), invited, "invitations after writing with SendToNone")
    item = CalendarItem(
        account=me, folder=me.calendar, subject="Truth asked", start=at(61, 9), end=at(61, 10), required_attendees=attendees
    )
    item.save(send_meeting_invitations="SendToAllAndSaveCopy")
    checks.equal(lab.noticed("invitation"), invited + 1, "invitations after inviting")
    mine = me.calendar.get(id=item.id)
    other = own(lab, 1)
    theirs = other.calendar.get(subject="Truth asked")
    checks.equal(theirs.clean_goid, mine.clean_goid, "both copies' CleanGlobalObjectId")
    checks.equal((mine.my_response_type, theirs.is_from_me), ("Organizer", False), "who organises")
    request = other.inbox.get(subject="Truth asked")
    checks.equal(request.item_class, "IPM.Schedule.Meeting.Request", "the class of the request")
    request.accept(body="yes")
    answers = [a.response_type for a in me.calendar.get(id=item.id).required_attendees]
    checks.equal(answers, ["Accept"], "the organiser learns the answer")
    mine.delete(send_meeting_cancellations="SendToNone")


def contacts(lab, checks):
    me = own(lab, 0)
    contact = Contact(
        account=me,
        folder=me.contacts,
        given_name="Ελένη",
        surname="Dvořáková",
        display_name="Ελένη Dvořáková",
        file_as="Dvořáková, Ελένη",
        company_name="Ångström",
        job_title="主任",
        email_addresses=[EmailAddress(label="EmailAddress1", email="eleni@truth.example")],
        phone_numbers=[PhoneNumber(label="MobilePhone", phone_number="+30 1")],
        physical_addresses=[PhysicalAddress(label="Business", street="Hlavní 1", city="Praha", country="CZ", zipcode="1")],
        birthday=EWSDate(1990, 2, 28),
        body="note",
    )
    contact.save()
    found = me.contacts.get(id=contact.id)
    checks.equal(found.email_addresses[0].email, "eleni@truth.example", "the address")
    checks.equal([p.phone_number for p in found.phone_numbers if p.phone_number], ["+30 1"], "the telephone")
    checks.equal(found.physical_addresses[0].city, "Praha", "the city")
    checks.equal(found.job_title, "主任", "the title")
    found.phone_numbers = [PhoneNumber(label="BusinessPhone", phone_number="+30 2")]
    found.job_title = None
    found.save(update_fields=["phone_numbers", "job_title"])
    again = me.contacts.get(id=contact.id)
    numbers = {p.label: p.phone_number for p in again.phone_numbers if p.phone_number}
    checks.equal(numbers, {"BusinessPhone": "+30 2"}, "the telephones after a change")
    checks.equal(again.job_title, None, "a cleared title")
    again.delete()


def tasks(lab, checks):
    me = own(lab, 0)
    day = datetime.date.today() + datetime.timedelta(days=3)
    due = EWSDate(day.year, day.month, day.day)
    task = Task(account=me, folder=me.tasks, subject="Truth task", due_date=due, status="InProgress", percent_complete=Decimal(30))
    task.save()
    found = me.tasks.get(id=task.id)
    checks.equal((found.due_date, found.status, found.percent_complete), (due, "InProgress", 30), "the task")
    found.complete()
    found = me.tasks.get(id=task.id)
    checks.equal((found.status, found.percent_complete, found.is_complete), ("Completed", 100, True), "completed")
    checks.that(found.complete_date, "it has a date of completion")
    found.delete()


def synchronisation(lab, checks):
    me = own(lab, 0)
    folders = list(me.msg_folder_root.sync_hierarchy())
    checks.that(len(folders) >= 8, "the hierarchy has the well-known folders")
    total = me.inbox.all().count()
    changes = list(me.inbox.sync_items(only_fields=["subject"], max_changes_returned=50))
    checks.equal({kind for kind, _ in changes}, {"create"}, "the kinds of change of a first synchronisation")
    checks.equal(len({item.id for _, item in changes}), total, "each item comes once")
    state = me.inbox.item_sync_state
    checks.equal(list(me.inbox.sync_items(sync_state=state)), [], "nothing new without a change")
    message = Message(account=me, folder=me.inbox, subject="Truth sync", body="x").save()
    state = expect(me, state, [("create", message.id)], checks)
    message.subject = "Truth sync 2"
    message.save(update_fields=["subject"])
    state = expect(me, state, [("update", message.id)], checks)
    message.is_read = not message.is_read
    message.save(update_fields=["is_read"])
    state = expect(me, state, [("read_flag_change", message.id)], checks)
    deleted = message.id
    message.delete()  # forgets the id
    expect(me, state, [("delete", deleted)], checks)


def expect(me, state, due, checks):
    """The changes since a state; gives the state after them."""
    found = []
    for kind, item in me.inbox.sync_items(sync_state=state, only_fields=["subject"]):
        found.append((kind, item[0].id if kind == "read_flag_change" else item.id))
    checks.equal(found, due, "the changes since the last synchronisation")
    return me.inbox.item_sync_state


def impersonation(lab, checks):
    for auth in (BASIC, NTLM):
        other = impersonated(lab, lab.people[1]["smtp"], auth)
        checks.equal(other.inbox.total_count, own(lab, 1).inbox.total_count, f"what an impersonator sees with {auth}")
    message = Message(account=other, folder=other.drafts, subject="Truth by another").save()
    checks.equal(own(lab, 1).drafts.get(id=message.id).subject, "Truth by another", "what it writes is there")
    message.delete()
    checks.raises(
        ErrorImpersonateUserDenied,
        lambda: impersonated(lab, lab.exchange["outside_scope"]).inbox.total_count,
        "a mailbox outside the scope",
    )
    checks.raises(
        ErrorNonExistentMailbox,
        lambda: impersonated(lab, "nobody@lab.example").inbox.total_count,
        "a mailbox that does not exist",
    )
    person = lab.people[0]
    checks.raises(
        (ErrorImpersonateUserDenied, EWSError),
        lambda: account(
            lab, lab.people[1]["smtp"], person["login"], person["password"], access=IMPERSONATION
        ).inbox.total_count,
        "an ordinary person who tries to impersonate",
    )


def notifications(lab, checks):
    me, writer = own(lab, 0), own(lab, 0)

    def write():
        return Message(account=writer, folder=writer.inbox, subject="Truth stream").save()

    with me.inbox.streaming_subscription() as subscription:
        # One mail between subscribing and listening, one while the stream is open.
        made, told = [write()], set()
        for notification in me.inbox.get_streaming_events(
            subscription, connection_timeout=1, max_notifications_returned=2
        ):
            told |= {event.item_id.id for event in notification.events if event.item_id}
            if len(made) == 1:
                made.append(write())
        checks.that(all(message.id in told for message in made), "both new mails are streamed")
        for message in made:
            message.delete()
    failure = checks.raises(
        ErrorSubscriptionNotFound,
        lambda: list(me.inbox.get_streaming_events(subscription, connection_timeout=1)),
        "a stream of a subscription that was ended",
    )
    checks.that(subscription in str(failure), "the refused stream names the subscription that is at fault")
    with me.calendar.pull_subscription() as (subscription, watermark):
        item = CalendarItem(account=me, folder=me.calendar, subject="Truth pull", start=at(70, 9), end=at(70, 10))
        item.save(send_meeting_invitations="SendToNone")
        kinds = []
        for notification in me.calendar.get_events(subscription, watermark):
            kinds.extend(event.ELEMENT_NAME for event in notification.events)
        checks.that("CreatedEvent" in kinds, f"a pulled notification tells of the new event, it told {kinds}")
        item.delete(send_meeting_cancellations="SendToNone")


def directory(lab, checks):
    me = own(lab, 0)
    found = me.protocol.resolve_names([lab.people[1]["smtp"]])
    checks.equal([m.email_address for m in found], [lab.people[1]["smtp"]], "a name is resolved")
    zones = {zone.id for zone in me.protocol.get_timezones()}
    checks.that("W. Europe Standard Time" in zones, "the server knows Windows' time zones")
    item = next(iter(me.inbox.all().only("subject")))
    ids = [AlternateId(id=item.id, format="EwsId", mailbox=me.primary_smtp_address)]
    hexadecimal = list(me.protocol.convert_ids(ids, destination_format="HexEntryId"))[0]
    back = [AlternateId(id=hexadecimal.id, format="HexEntryId", mailbox=me.primary_smtp_address)]
    back = list(me.protocol.convert_ids(back, destination_format="EwsId"))[0]
    checks.equal(back.id, item.id, "an id converted there and back")


def sending(lab, checks):
    me, other = own(lab, 0), own(lab, 1)
    sent = lab.noticed("mail")
    subject = f"Truth sent {uuid.uuid4()}"
    Message(
        account=me, subject=subject, body="x", to_recipients=[Mailbox(email_address=lab.people[1]["smtp"])]
    ).send_and_save()
    checks.equal(other.inbox.filter(subject=subject).count(), 1, "a sent mail arrives")
    checks.equal(me.sent.filter(subject=subject).count(), 1, "and is among the sent ones")
    arrived = other.inbox.get(subject=subject)
    checks.equal(arrived.message_id, me.sent.get(subject=subject).message_id, "both copies' Message-ID")
    checks.equal(lab.noticed("mail"), sent + 1, "one mail is on the ledger")
    arrived.delete()


def batches(lab, checks):
    me = own(lab, 0)
    items = [Message(account=me, folder=me.drafts, subject=f"Truth bulk {n}", body="x" * 100) for n in range(150)]
    made = me.bulk_create(folder=me.drafts, items=items, chunk_size=100)
    checks.equal(len(made), 150, "as many ids as items")
    results = list(me.fetch(ids=[*made[:3], (made[0].id[:-8] + "AAAAAAA=", None)]))
    checks.equal([isinstance(r, Exception) for r in results], [False, False, False, True], "one bad id of four")
    done = me.bulk_delete(ids=made, chunk_size=100)
    checks.that(all(result is True for result in done), "all are deleted")


def faults(lab, checks):
    me = own(lab, 0)
    total = me.inbox.total_count
    lab.control("POST", "/faults", {"side": "exchange", "kind": "busy", "back_off_ms": 300, "times": 1})
    try:
        me.inbox.refresh()
        checks.equal(me.inbox.total_count, total, "what is read after the server was busy")
    finally:
        lab.control("DELETE", "/faults")


def malformed(lab, checks):
    """A mail with half a header is imported, listed and read like any other."""
    me = own(lab, 0)
    raw = b"Subject: =?utf-8?B?VHJ1dGg\xff?= broken\r\nFrom: <<>\r\nContent-Type: multipart/mixed\r\n\r\n--\r\nx"
    lab.control("POST", f"/exchange/import-eml?mailbox={me.primary_smtp_address}&folder=inbox", raw)
    newest = me.inbox.all().order_by("-datetime_created")[0]
    checks.equal(newest.mime_content, raw, "the imported text comes back byte for byte")
    newest.delete()


if __name__ == "__main__":
    main(
        [
            sign_in,
            channel_binding,
            mail,
            pages,
            appointments,
            series,
            meetings,
            contacts,
            tasks,
            synchronisation,
            impersonation,
            notifications,
            directory,
            sending,
            batches,
            faults,
            malformed,
        ]
    )
