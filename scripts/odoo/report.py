#!/usr/bin/env python3
"""Edits on both sides that cross over, and the numbers, seen from Odoo itself.

    report.py FOLDER ODOO.json DATABASE SECONDS

SECONDS is how long the first synchronisation took. Exits non-zero if a promise is broken.
"""

import json
import sys
import time
from collections import Counter
from datetime import datetime, timedelta, timezone

from exchangelib import CalendarItem, EWSDateTime, EWSTimeZone

from lab_clients import Lab
from odoo.stage import Odoo

MODELS = ("calendar.event", "res.partner", "project.task", "mail.message")


def at(hours):
    return datetime.now(timezone.utc).replace(minute=0, second=0, microsecond=0) + timedelta(hours=hours)


def ews(instant):
    return EWSDateTime.from_datetime(instant).astimezone(EWSTimeZone("UTC"))


def wait(what, arrived, missed):
    since = time.monotonic()
    while time.monotonic() - since < 60:
        if arrived():
            print(f"  crossed in {time.monotonic() - since:5.1f} s   {what}", flush=True)
            return
        time.sleep(0.3)
    print(f"  NOT within 60 s        {what}", flush=True)
    missed.append(what)


def edits(lab, odoo, rep, missed):
    account, key = lab.mailbox(lab.people[0]), rep["key"]

    def events(title):
        domain = [["name", "=", title], ["user_id", "=", rep["id"]]]
        return odoo.call(key, "calendar.event", "search_read", domain=domain, fields=["start"])

    def items(title):
        return list(account.calendar.filter(subject=title))

    meeting = CalendarItem(
        account=account, folder=account.calendar, subject="Kick-off in Köln", start=ews(at(30)), end=ews(at(31))
    )
    meeting.save(send_meeting_invitations="SendToNone")
    wait("a meeting made in Outlook", lambda: len(events("Kick-off in Köln")) == 1, missed)
    moved = {"start": f"{at(40):%Y-%m-%d %H:%M:%S}", "stop": f"{at(41):%Y-%m-%d %H:%M:%S}"}
    ids = [event["id"] for event in events("Kick-off in Köln")]
    odoo.call(key, "calendar.event", "write", ids=ids, vals=moved)
    wait("the meeting moved in Odoo", lambda: items("Kick-off in Köln")[0].start == at(40), missed)
    visit = {"name": "Site visit", "start": f"{at(50):%Y-%m-%d %H:%M:%S}", "stop": f"{at(51):%Y-%m-%d %H:%M:%S}"}
    made = odoo.call(key, "calendar.event", "create", vals_list=[visit])
    wait("an event made in Odoo", lambda: len(items("Site visit")) == 1, missed)
    odoo.call(key, "calendar.event", "unlink", ids=made)
    wait("the event deleted in Odoo", lambda: not items("Site visit"), missed)
    items("Kick-off in Köln")[0].move_to_trash(send_meeting_cancellations="SendToNone")
    wait("the meeting deleted in Outlook", lambda: not events("Kick-off in Köln"), missed)


def main():
    folder, about, database, seconds = sys.argv[1:]
    with open(about, encoding="utf-8") as file:
        about = json.load(file)
    with open(f"{folder}/status.json", encoding="utf-8") as file:
        status = json.load(file)
    lab, odoo, missed = Lab(f"{folder}/lab.json"), Odoo(about, database), []
    streams = status["streams"]
    total = {key: sum(row[key] for row in streams) for key in ("linked", "skipped", "failed")}
    seconds = max(float(seconds), 1)
    written, doubled = 0, 0
    for model in MODELS:
        rows = odoo.admin(
            model, "search_read", domain=[["x_holdfast_key", "!=", False]], fields=["x_holdfast_key"]
        )
        keys = Counter(row["x_holdfast_key"] for row in rows)
        written += len(rows)
        doubled += sum(times - 1 for times in keys.values())
    edits(lab, odoo, about["people"][0], missed)
    with open(f"{folder}/mails-before", encoding="utf-8") as file:
        told = odoo.admin("mail.mail", "search_count", domain=[]) - int(file.read())
    lines = [
        ("in step", total["linked"], f"pairs of item and record, {len(lab.people)} people"),
        ("skipped", total["skipped"], "each with its reason"),
        ("failed", total["failed"], ""),
        ("written to Odoo", written, f"new records, {written / seconds:.0f} a second at the first synchronisation"),
        ("duplicates", doubled, "keys that two records carry"),
        ("mails that Odoo made", told, "its outgoing queue"),
    ]
    for what, value, note in lines:
        print(f"  {what:<34} {value:>8,}   {note}".rstrip())
    if total["failed"] or doubled or told or not written:
        missed.append("a number that should be zero is not, or nothing was written")
    for complaint in missed:
        print(f"  MISSED: {complaint}")
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
