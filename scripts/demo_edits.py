#!/usr/bin/env python3
"""Edits made on each side by clients that are not ours, and the wait until each has crossed over.

    demo_edits.py LAB.json [--deadline SECONDS]

Prints a line for each edit and how long it took to cross; exits non-zero if one did not within the deadline.
An edit is two functions: one makes it on its side, the other looks for it on the other side.
"""

import argparse
import sys
import time
from datetime import datetime, timedelta, timezone
from uuid import uuid4

from exchangelib import Attendee, CalendarItem, Contact, EWSDateTime, EWSTimeZone, Mailbox, Message, Task
from exchangelib.errors import ErrorItemNotFound
from exchangelib.indexed_properties import EmailAddress, PhoneNumber

from lab_clients import Lab

UTC = EWSTimeZone("UTC")


def in_hours(hours):
    """A full hour, some hours from now, as exchangelib wants it."""
    at = datetime.now(timezone.utc).replace(minute=0, second=0, microsecond=0) + timedelta(hours=hours)
    return EWSDateTime.from_datetime(at).astimezone(UTC)


def instant(text):
    """Salesforce's `2026-11-24T10:00:00.000+0000`."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%f%z")


def quoted(text):
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


class Edits:
    """The two people whose worlds are edited, opened on both sides."""

    def __init__(self, lab):
        self.ada, self.ben = lab.people[0], lab.people[1]
        self.outlook = lab.mailbox(self.ada)
        self.bens_outlook = lab.mailbox(self.ben)
        self.crm = lab.crm(self.ada)
        self.bens_crm = lab.crm(self.ben)
        # Titles that nothing else in the world has, in letters that some code would stumble over.
        self.mark = uuid4().hex[:8]

    def title(self, words):
        return f"{words} ⟨{self.mark}⟩"

    def one(self, crm, fields, thing, condition):
        """The only record with this condition, or None."""
        found = crm.query(f"SELECT {fields} FROM {thing} WHERE {condition}")["records"]
        if len(found) > 1:
            raise SystemExit(f"{len(found)} records of {thing} where one was due: a duplicate")
        return found[0] if found else None

    # From the mailbox to the CRM

    def meeting_made_in_outlook(self):
        known = self.one_known_contact()
        self.meeting = CalendarItem(
            account=self.outlook,
            folder=self.outlook.calendar,
            subject=self.title("Kick-off in Köln"),
            location="Zimmer 4",
            start=in_hours(30),
            end=in_hours(31),
            required_attendees=[Attendee(mailbox=Mailbox(email_address=known["Email"]), response_type="Unknown")],
        )
        self.meeting.save(send_meeting_invitations="SendToNone")

    def one_known_contact(self):
        condition = f"Email != null AND OwnerId = {quoted(self.ada['sf_user_id'])} ORDER BY CreatedDate LIMIT 1"
        found = self.crm.query(f"SELECT Id, Email, LastName FROM Contact WHERE {condition}")["records"]
        return found[0]

    def meeting_is_in_the_crm(self):
        event = self.one(
            self.crm, "Id, StartDateTime", "Event", f"Subject = {quoted(self.title('Kick-off in Köln'))}"
        )
        return event and instant(event["StartDateTime"]) == self.meeting.start

    def meeting_moved_in_outlook(self):
        self.meeting.start, self.meeting.end = in_hours(33), in_hours(34)
        self.meeting.save(update_fields=["start", "end"], send_meeting_invitations="SendToNone")

    def contact_made_in_outlook(self):
        self.card = Contact(
            account=self.outlook,
            folder=self.outlook.contacts,
            display_name="Zoë Ångström",
            given_name="Zoë",
            surname=self.title("Ångström"),
            company_name="Østfold Elektro",
            email_addresses=[EmailAddress(label="EmailAddress1", email=f"zoe.{self.mark}@oestfold.example")],
            phone_numbers=[PhoneNumber(label="BusinessPhone", phone_number="+47 555 0100")],
        )
        self.card.save()

    def contact_is_in_the_crm(self):
        return self.one(self.crm, "Id", "Contact", f"Email = 'zoe.{self.mark}@oestfold.example'")

    def task_made_in_outlook(self):
        self.errand = Task(
            account=self.outlook, folder=self.outlook.tasks, subject=self.title("Send the draft contract")
        )
        self.errand.save()

    def task_is_in_the_crm(self):
        return self.one(
            self.crm, "Id", "Task", f"Subject = {quoted(self.title('Send the draft contract'))}"
        )

    def mail_sent_in_outlook(self):
        Message(
            account=self.outlook,
            folder=self.outlook.sent,
            subject=self.title("Предложение, überarbeitet"),
            body="As agreed.",
            to_recipients=[Mailbox(email_address=self.one_known_contact()["Email"])],
        ).send_and_save()

    def mail_is_in_the_crm(self):
        return self.one(
            self.crm, "Id", "EmailMessage", f"Subject = {quoted(self.title('Предложение, überarbeitet'))}"
        )

    # From the CRM to the mailbox

    def event_made_in_the_crm(self):
        start, end = in_hours(50), in_hours(51)
        self.visit = self.bens_crm.Event.create(
            {
                "Subject": self.title("Site visit"),
                "StartDateTime": start.strftime("%Y-%m-%dT%H:%M:%SZ"),
                "EndDateTime": end.strftime("%Y-%m-%dT%H:%M:%SZ"),
                "Location": "Gate 2",
            }
        )["id"]

    def in_bens_calendar(self):
        found = list(self.bens_outlook.calendar.filter(subject=self.title("Site visit")))
        if len(found) > 1:
            raise SystemExit(f"{len(found)} items in the calendar where one was due: a duplicate")
        return found[0] if found else None

    def event_is_in_the_mailbox(self):
        return self.in_bens_calendar()

    def event_moved_in_the_crm(self):
        start, end = in_hours(52), in_hours(54)
        self.bens_crm.Event.update(
            self.visit,
            {
                "StartDateTime": start.strftime("%Y-%m-%dT%H:%M:%SZ"),
                "EndDateTime": end.strftime("%Y-%m-%dT%H:%M:%SZ"),
            },
        )

    def event_has_moved_in_the_mailbox(self):
        item = self.in_bens_calendar()
        return item and item.start == in_hours(52) and item.end == in_hours(54)

    def number_corrected_in_the_crm(self):
        self.crm.Contact.update(self.contact_is_in_the_crm()["Id"], {"Phone": "+47 555 0199"})

    def number_is_right_in_the_mailbox(self):
        card = self.outlook.contacts.get(id=self.card.id)
        return any(n.label == "BusinessPhone" and n.phone_number == "+47 555 0199" for n in card.phone_numbers)

    def task_completed_in_the_crm(self):
        self.crm.Task.update(self.task_is_in_the_crm()["Id"], {"Status": "Completed"})

    def task_is_complete_in_the_mailbox(self):
        return self.outlook.tasks.get(id=self.errand.id).status == "Completed"

    # Deletions, one each way

    def meeting_deleted_in_outlook(self):
        self.outlook.calendar.get(id=self.meeting.id).move_to_trash(send_meeting_cancellations="SendToNone")

    def meeting_is_gone_from_the_crm(self):
        title = quoted(self.title("Kick-off in Köln"))
        return not self.one(self.crm, "Id", "Event", f"Subject = {title}")

    def event_deleted_in_the_crm(self):
        self.bens_crm.Event.delete(self.visit)

    def event_is_gone_from_the_mailbox(self):
        return self.in_bens_calendar() is None

    def steps(self):
        return [
            [
                ("a meeting made in Outlook", self.meeting_made_in_outlook, self.meeting_is_in_the_crm),
                ("a contact made in Outlook", self.contact_made_in_outlook, self.contact_is_in_the_crm),
                ("a task made in Outlook", self.task_made_in_outlook, self.task_is_in_the_crm),
                ("a mail sent in Outlook", self.mail_sent_in_outlook, self.mail_is_in_the_crm),
                ("an event made in Salesforce", self.event_made_in_the_crm, self.event_is_in_the_mailbox),
            ],
            [
                ("the meeting moved in Outlook", self.meeting_moved_in_outlook, self.meeting_is_in_the_crm),
                ("the event moved in Salesforce", self.event_moved_in_the_crm, self.event_has_moved_in_the_mailbox),
                (
                    "the contact's number corrected in Salesforce",
                    self.number_corrected_in_the_crm,
                    self.number_is_right_in_the_mailbox,
                ),
                ("the task completed in Salesforce", self.task_completed_in_the_crm, self.task_is_complete_in_the_mailbox),
            ],
            [
                ("the meeting deleted in Outlook", self.meeting_deleted_in_outlook, self.meeting_is_gone_from_the_crm),
                ("the event deleted in Salesforce", self.event_deleted_in_the_crm, self.event_is_gone_from_the_mailbox),
            ],
        ]


def run(edits, deadline):
    """Makes the edits of each step at once, then waits for all of them. Returns how many did not cross."""
    missed = 0
    for step in edits.steps():
        waiting = []
        for what, make, arrived in step:
            make()
            waiting.append((what, arrived, time.monotonic()))
        while waiting:
            still = []
            for what, arrived, since in waiting:
                if seen(arrived):
                    print(f"  crossed in {time.monotonic() - since:5.1f} s   {what}", flush=True)
                elif time.monotonic() - since > deadline:
                    print(f"  NOT within {deadline} s    {what}", flush=True)
                    missed += 1
                else:
                    still.append((what, arrived, since))
            waiting = still
            if waiting:
                time.sleep(0.3)
    return missed


def seen(arrived):
    try:
        return bool(arrived())
    except ErrorItemNotFound:
        return False


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("lab")
    arguments.add_argument("--deadline", type=int, default=60)
    given = arguments.parse_args()
    missed = run(Edits(Lab(given.lab)), given.deadline)
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
