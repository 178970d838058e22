#!/usr/bin/env python3
"""What an engineer would write: a first synchronisation by exchangelib and simple-salesforce.

    bench_peer.py LAB.json [--people N]

Reads calendar, contacts, tasks and mail of each mailbox with the service account's impersonation, and writes
what Holdfast would write: single meetings, contacts that the CRM has not got, tasks, and mail in which a contact
or lead is. It keeps no state and looks for no duplicates, so it does less. Prints one JSON line.

exchangelib fetches 100 items a page; records go to Salesforce by collections of 200, the fastest that
simple-salesforce offers without Bulk.
"""

import argparse
import json
import resource
import time

from exchangelib.items import CalendarItem, Contact, Message, Task

from lab_clients import Lab

CALENDAR = ("subject", "start", "end", "is_all_day", "location", "body", "type", "required_attendees", "sensitivity")
CONTACTS = ("given_name", "surname", "company_name", "job_title", "email_addresses", "phone_numbers")
TASKS = ("subject", "body", "due_date", "status", "importance")
MAIL = ("subject", "sender", "to_recipients", "cc_recipients", "datetime_received", "message_id", "body", "is_draft")
STATUS = {
    "NotStarted": "Not Started",
    "InProgress": "In Progress",
    "Completed": "Completed",
    "WaitingOnOthers": "Waiting on someone else",
    "Deferred": "Deferred",
}


class Mover:
    """One person's mailbox and CRM."""

    def __init__(self, lab, person):
        self.account = lab.impersonated(person)
        self.crm = lab.crm(person)
        self.person = person
        self.known = {}
        self.read = self.written = 0

    def every(self, folder, kind, fields):
        for item in folder.all().only(*fields):
            self.read += 1
            if isinstance(item, kind):
                yield item

    def who(self, addresses):
        """The contacts and leads with these addresses, asked once each."""
        new = [a for a in addresses if a not in self.known]
        for start in range(0, len(new), 100):
            part = ",".join("'" + a.replace("'", "\\'") + "'" for a in new[start : start + 100])
            for thing in ("Contact", "Lead"):
                for row in self.crm.query_all(f"SELECT Id, Email FROM {thing} WHERE Email IN ({part})")["records"]:
                    self.known.setdefault(row["Email"].lower(), row["Id"])
        for address in new:
            self.known.setdefault(address, None)
        return [self.known[a] for a in addresses if self.known[a]]

    def write(self, thing, records):
        for start in range(0, len(records), 200):
            rows = [{"attributes": {"type": thing}, **row} for row in records[start : start + 200]]
            answer = self.crm.restful(
                "composite/sobjects", method="POST", json={"allOrNone": False, "records": rows}
            )
            self.written += sum(1 for row in answer if row["success"])

    def calendar(self):
        records = []
        for item in self.every(self.account.calendar, CalendarItem, CALENDAR):
            if item.type != "Single" or item.sensitivity != "Normal":
                continue
            guests = [a.mailbox.email_address.lower() for a in item.required_attendees or []]
            record = {"Subject": item.subject, "Location": item.location, "Description": str(item.body or "")[:32000]}
            if item.is_all_day:
                record.update(IsAllDayEvent=True, ActivityDate=str(item.start), DurationInMinutes=1440)
            else:
                record.update(StartDateTime=item.start.isoformat(), EndDateTime=item.end.isoformat())
            record["EventWhoIds"] = self.who(guests)[:50]
            records.append(record)
        self.write("Event", records)

    def contacts(self):
        cards = list(self.every(self.account.contacts, Contact, CONTACTS))
        addresses = [[e.email.lower() for e in card.email_addresses or [] if e.email] for card in cards]
        self.who([a for of_card in addresses for a in of_card])
        records = []
        for card, of_card in zip(cards, addresses):
            if any(self.known.get(a) for a in of_card):
                continue
            phones = {p.label: p.phone_number for p in card.phone_numbers or []}
            records.append(
                {
                    "FirstName": card.given_name,
                    "LastName": card.surname or card.given_name or "?",
                    "Title": card.job_title,
                    "Email": of_card[0] if of_card else None,
                    "Phone": phones.get("BusinessPhone"),
                    "MobilePhone": phones.get("MobilePhone"),
                }
            )
        self.write("Contact", records)

    def tasks(self):
        records = [
            {
                "Subject": item.subject,
                "Description": str(item.body or "")[:32000],
                "ActivityDate": str(item.due_date) if item.due_date else None,
                "Status": STATUS[item.status],
                "Priority": item.importance or "Normal",
            }
            for item in self.every(self.account.tasks, Task, TASKS)
        ]
        self.write("Task", records)

    def mail(self):
        inbox, sent = self.account.inbox, self.account.sent
        for folder in [inbox, *inbox.walk(), sent]:
            mails = [m for m in self.every(folder, Message, MAIL) if not m.is_draft]
            records = []
            for item in mails:
                people = [p for p in [item.sender, *(item.to_recipients or []), *(item.cc_recipients or [])] if p]
                addresses = [p.email_address.lower() for p in people if p.email_address]
                if not self.who(addresses):
                    continue
                to = [p.email_address.lower() for p in item.to_recipients or [] if p.email_address]
                records.append(
                    {
                        "Subject": item.subject,
                        "HtmlBody": str(item.body or ""),
                        "FromAddress": item.sender.email_address if item.sender else None,
                        "ToAddress": "; ".join(to)[:4000],
                        "ToIds": self.who(to),
                        "Incoming": folder is not sent,
                        "MessageDate": item.datetime_received.isoformat(),
                        "MessageIdentifier": item.message_id,
                        "Status": "3" if folder is sent else "1",
                    }
                )
            self.write("EmailMessage", records)


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("lab")
    arguments.add_argument("--people", type=int)
    given = arguments.parse_args()
    lab = Lab(given.lab)
    read = written = 0
    # Sign-ins and folder lists are not what is measured.
    movers = [Mover(lab, person) for person in lab.people[: given.people]]
    for mover in movers:
        mover.account.inbox.walk()
    before, since = resource.getrusage(resource.RUSAGE_SELF), time.monotonic()
    for mover in movers:
        mover.contacts()
        mover.calendar()
        mover.tasks()
        mover.mail()
        read += mover.read
        written += mover.written
    wall = time.monotonic() - since
    after = resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(json.dumps({"read": read, "written": written, "wall_s": wall, "cpu_s": cpu, "rss_kib": after.ru_maxrss}))


if __name__ == "__main__":
    main()
