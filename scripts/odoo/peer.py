#!/usr/bin/env python3
"""What an engineer would write: a first synchronisation by exchangelib and Odoo's JSON-2 interface.

    peer.py LAB.json ODOO.json DATABASE

Reads calendar, contacts, tasks and mail of each mailbox, and writes what Holdfast would write, by each user's own key.
It keeps no state and looks for no duplicates, so it does less. Records go by `create` with lists of 200, the fastest
that Odoo offers. Prints one JSON line.
"""

import json
import sys
import time

from exchangelib import EWSTimeZone
from exchangelib.items import CalendarItem, Contact, Message, Task

from bench_peer import CALENDAR, CONTACTS, MAIL, TASKS
from lab_clients import Lab
from odoo.stage import Odoo

SILENT = {
    "no_mail_to_attendees": True,
    "dont_notify": True,
    "mail_create_nosubscribe": True,
    "mail_create_nolog": True,
    "tracking_disable": True,
}


def instant(at):
    return at.astimezone(EWSTimeZone("UTC")).strftime("%Y-%m-%d %H:%M:%S")


class Mover:
    """One person's mailbox and user of Odoo."""

    def __init__(self, lab, odoo, person, rep):
        self.account = lab.impersonated(person)
        self.odoo, self.rep = odoo, rep
        self.known = {}
        self.read = self.written = self.mails = 0

    def every(self, folder, kind, fields):
        for item in folder.all().only(*fields):
            self.read += 1
            if isinstance(item, kind):
                yield item

    def who(self, addresses):
        """The contacts with these addresses, asked once each."""
        new = [a for a in addresses if a not in self.known]
        for start in range(0, len(new), 200):
            domain = [["email_normalized", "in", new[start : start + 200]]]
            fields = ["email_normalized"]
            rows = self.odoo.call(self.rep["key"], "res.partner", "search_read", domain=domain, fields=fields)
            for row in rows:
                self.known.setdefault(row["email_normalized"], row["id"])
        for address in new:
            self.known.setdefault(address, None)
        return [self.known[a] for a in addresses if self.known[a]]

    def write(self, model, records):
        for start in range(0, len(records), 200):
            some = records[start : start + 200]
            made = self.odoo.call(self.rep["key"], model, "create", vals_list=some, context=SILENT)
            self.written += len(made)

    def calendar(self):
        records = []
        for item in self.every(self.account.calendar, CalendarItem, CALENDAR):
            if item.type != "Single" or item.sensitivity != "Normal":
                continue
            guests = [a.mailbox.email_address.lower() for a in item.required_attendees or []]
            record = {"name": item.subject or " ", "location": item.location, "description": str(item.body or "")}
            if item.is_all_day:
                record.update(allday=True, start_date=str(item.start), stop_date=str(item.start))
            else:
                record.update(start=instant(item.start), stop=instant(item.end))
            record["partner_ids"] = [[6, 0, [self.rep["partner"], *self.who(guests)]]]
            records.append(record)
        self.write("calendar.event", records)

    def contacts(self):
        cards = list(self.every(self.account.contacts, Contact, CONTACTS))
        addresses = [[e.email.lower() for e in card.email_addresses or [] if e.email] for card in cards]
        self.who([a for of_card in addresses for a in of_card])
        records = []
        for card, of_card in zip(cards, addresses):
            if any(self.known.get(a) for a in of_card):
                continue
            phones = {p.label: p.phone_number for p in card.phone_numbers or []}
            name = f"{card.given_name or ''} {card.surname or ''}".strip()
            records.append(
                {
                    "name": name or card.company_name or "?",
                    "function": card.job_title,
                    "email": of_card[0] if of_card else None,
                    "phone": phones.get("BusinessPhone"),
                    "user_id": self.rep["id"],
                }
            )
        self.write("res.partner", records)

    def tasks(self):
        records = [
            {
                "name": item.subject or " ",
                "description": str(item.body or ""),
                "date_deadline": f"{item.due_date} 12:00:00" if item.due_date else None,
                "user_ids": [[6, 0, [self.rep["id"]]]],
            }
            for item in self.every(self.account.tasks, Task, TASKS)
        ]
        self.write("project.task", records)

    def mail(self):
        inbox, sent = self.account.inbox, self.account.sent
        before = self.written
        for folder in [inbox, *inbox.walk(), sent]:
            records = []
            for item in [m for m in self.every(folder, Message, MAIL) if not m.is_draft]:
                people = [p for p in [item.sender, *(item.to_recipients or []), *(item.cc_recipients or [])] if p]
                known = self.who([p.email_address.lower() for p in people if p.email_address])
                if not known:
                    continue
                records.append(
                    {
                        "model": "res.partner",
                        "res_id": known[0],
                        "subject": item.subject,
                        "body": str(item.body or ""),
                        "email_from": item.sender.email_address if item.sender else None,
                        "date": instant(item.datetime_received),
                        "message_id": item.message_id,
                        "message_type": "email",
                        "partner_ids": [[6, 0, known[1:]]],
                    }
                )
            self.write("mail.message", records)
        self.mails += self.written - before


def main():
    lab, about, database = sys.argv[1:]
    lab = Lab(lab)
    with open(about, encoding="utf-8") as file:
        about = json.load(file)
    odoo = Odoo(about, database)
    # Sign-ins and folder lists are not what is measured.
    movers = [Mover(lab, odoo, person, rep) for person, rep in zip(lab.people, about["people"])]
    for mover in movers:
        mover.account.inbox.walk()
    since = time.monotonic()
    for mover in movers:
        mover.contacts()
        mover.calendar()
        mover.tasks()
        mover.mail()
    told = {name: sum(getattr(mover, name) for mover in movers) for name in ("read", "written", "mails")}
    print(json.dumps(told | {"wall_s": time.monotonic() - since}))


if __name__ == "__main__":
    main()
