#!/usr/bin/env python3
"""The numbers of the demonstration: from the lab's own books, from clients that are not ours, and from Holdfast.

    demo_report.py mark FOLDER NAME     notes how both sides and the lab's counts stand
    demo_report.py table FOLDER         prints the table; exits non-zero if a promise is broken

Copies are counted by looking at both sides with exchangelib and simple-salesforce: nothing may exist more often on
a side than it did on either side before.
"""

import json
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from lab_clients import Lab

KINDS = ("calendar", "contacts", "tasks", "mail")


def load(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def moment(value):
    """Instants of both clients in one spelling, to the minute."""
    if value is None:
        return ""
    text = value if isinstance(value, str) else value.isoformat()
    return text.replace("+0000", "").replace("+00:00", "").replace("Z", "")[:16]


def mailbox_side(lab, person):
    """What the person's mailbox holds: how often each thing is there, and how many items in all."""
    account = lab.mailbox(person)
    owner = person["smtp"]
    things = Counter()
    for item in account.calendar.all().only("subject", "start", "end"):
        things[f"event|{owner}|{item.subject}|{moment(item.start)}|{moment(item.end)}"] += 1
    for item in account.tasks.all().only("subject", "due_date"):
        things[f"task|{owner}|{item.subject}|{moment(item.due_date)}"] += 1
    for item in account.contacts.all().only("email_addresses", "given_name", "surname"):
        emails = [entry.email.lower() for entry in getattr(item, "email_addresses", None) or [] if entry.email]
        if emails:
            things[f"contact|{owner}|{emails[0]}"] += 1
    mail = sum(folder.total_count or 0 for folder in mail_folders(account))
    count = {
        "calendar": account.calendar.total_count,
        "contacts": account.contacts.total_count,
        "tasks": account.tasks.total_count,
        "mail": mail,
    }
    return things, count


def mail_folders(account):
    return [account.inbox, *account.inbox.walk(), account.sent, *account.sent.walk()]


def crm_side(lab, person):
    """What the person owns in the CRM, in the same words."""
    crm = lab.crm(person)
    owner, mine = person["smtp"], f"OwnerId = '{person['sf_user_id']}'"
    things, count = Counter(), Counter()
    fields = "Subject, StartDateTime, EndDateTime, ActivityDate, IsAllDayEvent"
    for row in crm.query_all(f"SELECT {fields} FROM Event WHERE {mine} AND IsChild = false")["records"]:
        count["calendar"] += 1
        things[f"event|{owner}|{row['Subject']}|{moment(row['StartDateTime'])}|{moment(row['EndDateTime'])}"] += 1
    for row in crm.query_all(f"SELECT Subject, ActivityDate FROM Task WHERE {mine} AND TaskSubtype = 'Task'")["records"]:
        count["tasks"] += 1
        things[f"task|{owner}|{row['Subject']}|{moment(row['ActivityDate'])}"] += 1
    for row in crm.query_all(f"SELECT Email FROM Contact WHERE {mine}")["records"]:
        count["contacts"] += 1
        if row["Email"]:
            things[f"contact|{owner}|{row['Email'].lower()}"] += 1
    return things, count, [row["MessageIdentifier"] for row in mails(crm)]


def mails(crm):
    condition = "MessageIdentifier != null"
    return crm.query_all(f"SELECT MessageIdentifier FROM EmailMessage WHERE {condition}")["records"]


def survey(lab):
    """Both sides of everybody."""
    with ThreadPoolExecutor(4) as pool:
        mailboxes = list(pool.map(lambda person: mailbox_side(lab, person), lab.people))
        crms = list(pool.map(lambda person: crm_side(lab, person), lab.people))
    identifiers = Counter()
    for _, _, found in crms:
        # People who share a view of a mail see the same record; each sees it once.
        for identifier, times in Counter(found).items():
            identifiers[identifier] = max(identifiers[identifier], times)
    crm_count = sum((count for _, count, _ in crms), Counter())
    crm_count["mail"] = sum(identifiers.values())
    return {
        "mailbox": dict(sum((things for things, _ in mailboxes), Counter())),
        "crm": dict(sum((things for things, _, _ in crms), Counter())),
        "mails": dict(identifiers),
        "mailbox_count": dict(sum((Counter(count) for _, count in mailboxes), Counter())),
        "crm_count": dict(crm_count),
    }


def mark(lab, folder, name):
    # The survey makes calls too, so that the counts are taken on both sides of it.
    taken = {"stats_then": lab.control("/stats"), "sides": survey(lab), "stats_after": lab.control("/stats")}
    with open(f"{folder}/mark-{name}.json", "w", encoding="utf-8") as file:
        json.dump(taken, file)


def copies(before, after):
    """How many things exist more often than they may."""
    allowed = Counter(before["mailbox"]) | Counter(before["crm"])
    found = []
    for side in ("mailbox", "crm"):
        for thing, times in after[side].items():
            more = times - max(allowed[thing], 1)
            found += [f"{side}: {thing}"] * max(more, 0)
    for identifier, times in after["mails"].items():
        found += [f"crm: mail {identifier}"] * (times - 1)
    return found


def calls(before, after):
    """Requests of the first synchronisation; a handshake's 401 is no call."""

    def of(stats):
        return stats["requests"] - stats["unauthorized"]

    return {side: of(after[side]) - of(before[side]) for side in ("exchange", "salesforce")}


def rows_of(status):
    return status["streams"] if isinstance(status, dict) else status


def table(lab, folder):
    status = load(f"{folder}/status.json")
    before, first = load(f"{folder}/mark-before.json"), load(f"{folder}/mark-after.json")
    now = survey(lab)
    ledger = lab.control("/ledger")["counts"]
    streams = rows_of(status)
    total = {key: sum(row[key] for row in streams) for key in ("linked", "skipped", "failed")}
    items = sum(before["sides"]["mailbox_count"].values())
    used = calls(before["stats_after"], first["stats_then"])
    made = {
        side: sum(first["sides"][f"{side}_count"].values()) - sum(before["sides"][f"{side}_count"].values())
        for side in ("crm", "mailbox")
    }
    doubled = copies(before["sides"], now)
    told = sum(ledger.get(kind, 0) for kind in ("invitation", "cancellation", "response"))
    lost = ledger.get("lost_update", 0)

    def line(what, value, note=""):
        print(f"  {what:<34} {value:>8,}   {note}".rstrip())

    line("items in the mailboxes", items, f"of {len(lab.people)} people")
    line("written to Salesforce", made["crm"], "new records")
    line("written to the mailboxes", made["mailbox"], "new items")
    line("in step", total["linked"], "pairs of item and record")
    line("skipped", total["skipped"], "each with its reason:")
    for reason, count in reasons(status).most_common():
        line(f"  {reason}", count)
    line("failed", total["failed"])
    line("calls to Exchange", used["exchange"], per_thousand(used["exchange"], items))
    line("calls to Salesforce", used["salesforce"], per_thousand(used["salesforce"], items))
    line("invitations sent", told)
    line("duplicates", len(doubled))
    line("edits overwritten unseen", lost)

    complaints = [f"a duplicate: {one}" for one in doubled[:5]]
    if told:
        complaints.append("people were mailed")
    if lost:
        complaints.append("an edit was overwritten unseen")
    if total["failed"]:
        complaints.append("some items failed; `holdfast failures` has them")
    if not made["crm"] or not made["mailbox"]:
        complaints.append("one direction wrote nothing")
    if len(lab.people) >= 20 and items < 4000:
        complaints.append("the lab has fewer than 4,000 items")
    complaints += adding_up(load(f"{folder}/completeness.json"), now, line)
    for complaint in complaints:
        print(f"  MISSED: {complaint}")
    sys.exit(1 if complaints else 0)


def adding_up(completeness, seen, line):
    """Each side by itself, each record type by itself: what a client of others counts, and what became of it."""
    print("  what clients count, and what became of it:")
    complaints = []
    for side in ("mailbox", "crm"):
        for kind in KINDS:
            tallies = [row for one in completeness for row in one["streams"]]
            tallies = [row for row in tallies if (row["side"], row["kind"]) == (side, kind)]
            skipped = sum(sum(row["skipped"].values()) for row in tallies)
            written, failed, missing = (sum(row[name] for row in tallies) for name in ("written", "failed", "missing"))
            count = seen[f"{side}_count"].get(kind, 0)
            if not tallies:
                # Mail goes one way: there is nothing of the CRM's own to account for.
                line(f"  {kind}, {side}", count, "comes from the mailboxes alone")
                continue
            fate = f"{written:,} in step, {skipped:,} left alone, {failed:,} failed, {missing:,} missing"
            line(f"  {kind}, {side}", count, fate)
            lost = max(count - written - skipped - failed, 0)
            if lost or missing:
                complaints.append(f"{kind}, {side}: {max(lost, missing)} neither in step nor left alone nor failed")
    return complaints


def reasons(status):
    """Skipped items by reason, over everybody."""
    found = Counter()
    for row in status.get("skips", []) if isinstance(status, dict) else []:
        found[row["reason"].replace("_", " ")] += row["count"]
    return found


def per_thousand(count, items):
    return f"{1000 * count / items:.1f} for 1,000 items, first synchronisation"


def main():
    mode, folder, *rest = sys.argv[1:]
    lab = Lab(f"{folder}/lab.json")
    if mode == "mark":
        mark(lab, folder, rest[0])
    else:
        table(lab, folder)


if __name__ == "__main__":
    main()
