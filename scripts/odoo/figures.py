#!/usr/bin/env python3
"""Runs what is measured against a real Odoo, and makes figures of it.

    figures.py run FOLDER NAME SERVER.log DATABASE -- COMMAND…   wall, CPU, and the calls by Odoo's own log
    figures.py mails FOLDER COUNT SERVER.log DATABASE -- HOLDFAST…
                                                     the calls of a turn in which so many mails of one mailbox are new
    figures.py figures FOLDER FILE                               the figures, printed and appended to FILE
"""

import json
import os
import re
import subprocess
import sys
from collections import Counter

from bench import keep, load, measured, streams
from bench_mailbox import Mailbox

CALL = re.compile(r'"POST /json/2/([a-z._]+)/([a-z_]+) ')


def calls(log, since, database):
    """The calls of a database that the log has behind an offset, by model."""
    counts = Counter()
    with open(log, encoding="utf-8", errors="replace") as file:
        file.seek(since)
        for line in file:
            found = CALL.search(line)
            if found and f" {database} werkzeug:" in line:
                counts[found[1]] += 1
    return counts


def run(folder, name, log, database, command):
    since = os.path.getsize(log)
    result = measured(command, folder, f"odoo-{name}")
    result["calls"] = calls(log, since, database)
    keep(folder, f"odoo-{name}", result)


def saved(command):
    """How many mails stand in the CRM."""
    status = subprocess.run([*command, "status", "--json"], check=False, capture_output=True, text=True)
    return sum(row["linked"] for row in streams(json.loads(status.stdout)) if row["kind"] == "mail")


def mails(folder, count, log, database, command):
    mailbox = Mailbox(folder)
    sync = [*command, "sync", mailbox.address, "--json"]
    measured(sync, folder, "odoo-mails-before")
    before = saved(command)
    for number in range(count):
        mailbox.receive(number)
    since = os.path.getsize(log)
    measured(sync, folder, "odoo-mails")
    made = calls(log, since, database)
    if saved(command) - before != count:
        raise SystemExit(f"{saved(command) - before} of {count} mails came into Odoo")
    keep(folder, "odoo-mails", {"mails": count, "calls": made})


def figures(folder, file):
    ours, peer = (load(f"{folder}/bench-odoo-{name}.json") for name in ("holdfast", "peer"))
    script = peer["printed"][-1]
    rows = streams(load(f"{folder}/status.json"))
    items = sum(row["linked"] + row["skipped"] + row["failed"] for row in rows)
    linked = sum(row["linked"] for row in rows)
    mails = sum(row["linked"] for row in rows if row["kind"] == "mail")
    if not mails or not script["mails"]:
        raise SystemExit("no mail came to Odoo: nothing to compare")
    rate, peer_rate = items / ours["wall_s"], script["read"] / script["wall_s"]
    all_calls = 1000 * sum(ours["calls"].values()) / linked
    peer_calls = 1000 * sum(peer["calls"].values()) / script["written"]
    mail_calls = 1000 * ours["calls"]["mail.message"] / mails
    peer_mail_calls = 1000 * peer["calls"]["mail.message"] / script["mails"]
    new = load(f"{folder}/bench-odoo-mails.json")
    new_calls = 1000 * sum(new["calls"].values()) / new["mails"]
    against = "exchangelib + JSON-2"
    lines = [
        ("odoo_first_sync_wall", rate, "items/s", rate / peer_rate, against),
        ("odoo_client_cpu_per_item", 1000 * ours["cpu_s"] / items, "ms", None, None),
        ("odoo_calls_per_1000_records", all_calls, "calls", all_calls / peer_calls, against),
        ("odoo_mail_calls_per_1000_mails", mail_calls, "calls", mail_calls / peer_mail_calls, against),
        # Whatever the turn asks of Odoo, who people are and what is new included.
        ("odoo_calls_per_1000_new_mails", new_calls, "calls", new_calls / 1000, "a call for each"),
    ]
    print(f"  {items} items looked at, {linked} linked, {mails} mails among them; the script wrote {script['written']}")
    with open(file, "a", encoding="utf-8") as out:
        for name, value, unit, ratio, beside in lines:
            tail = f" (ratio {ratio:.3g} against {beside})" if ratio is not None else ""
            print(f"bench: {name} {value:.4g} {unit}{tail}")
            told = {"name": name, "value": value, "unit": unit, "ratio": ratio, "against": beside}
            out.write(json.dumps(told) + "\n")


def main():
    mode, folder, rest = sys.argv[1], sys.argv[2], sys.argv[3:]
    if mode == "figures":
        figures(folder, rest[0])
    elif mode == "mails":
        count, log, database, _, *command = rest
        mails(folder, int(count), log, database, command)
    else:
        name, log, database, _, *command = rest
        run(folder, name, log, database, command)


if __name__ == "__main__":
    main()
