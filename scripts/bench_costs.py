#!/usr/bin/env python3
"""What things cost as there are more of them.

    bench_costs.py point FOLDER PEOPLE ITEMS      keeps what `bench.py holdfast` measured as a point of the curves
    bench_costs.py mails FOLDER -- HOLDFAST…      the calls of a turn in which 1,000 mails are new
    bench_costs.py file FOLDER -- HOLDFAST…       the memory that a file of 150 MB takes more than one of 3 MB
    bench_costs.py figures FOLDER FILE            the figures, printed, drawn, and appended to FILE as JSON lines
"""

import json
import os
import subprocess
import sys
import urllib.parse

import plotext

from bench import delta, keep, load, measured, streams
from bench_mailbox import Mailbox

NEW_MAILS = 1000
SMALL, LARGE = 3 << 20, 150 << 20


def point(folder, people, items_each):
    measured_now = load(f"{folder}/bench-holdfast.json")
    rows = streams(measured_now["status"])
    items = sum(row["linked"] + row["skipped"] + row["failed"] for row in rows)
    cpu = measured_now["cpu_s"] + measured_now["postgresql_cpu_s"]
    path = f"{folder}/points.json"
    points = load(path) if os.path.exists(path) else []
    points.append(
        {
            "people": people,
            "items_each": items_each,
            "items": items,
            "cpu_ms": 1000 * cpu / items,
            "postgresql_ms": 1000 * measured_now["postgresql_cpu_s"] / items,
            "wall_ms": 1000 * measured_now["wall_s"] / items,
            "rss_mib": measured_now["rss_mib"],
        }
    )
    with open(path, "w", encoding="utf-8") as file:
        json.dump(points, file)
    each = points[-1]
    print(f"  {people} mailboxes, {items} items: {each['cpu_ms']:.3f} ms of CPU each, {each['postgresql_ms']:.3f} of it PostgreSQL's")


def mails(folder, command):
    mailbox = Mailbox(folder)
    sync = command + ["sync", mailbox.address, "--json"]
    measured(sync, folder, "mails-before")
    for number in range(NEW_MAILS):
        mailbox.receive(number)
    logged = len(mailbox.lab.control("/world")["salesforce"]["EmailMessage"])
    before = mailbox.lab.control("/stats")
    measured(sync, folder, "mails")
    after = mailbox.lab.control("/stats")
    logged = len(mailbox.lab.control("/world")["salesforce"]["EmailMessage"]) - logged
    if logged != NEW_MAILS:
        raise SystemExit(f"{logged} of {NEW_MAILS} mails came into the CRM")
    sides = {side: delta(before[side], after[side])["requests"] for side in ("exchange", "salesforce")}
    keep(folder, "mails", sides)


def taking_files(folder, command):
    """The default policy, with the attachments of mail."""
    policy = json.loads(subprocess.run(command + ["policy", "show", "default", "--json"], check=True, capture_output=True).stdout)
    policy = policy.get("policy", policy)
    policy["attachments"] = {**policy.get("attachments", {}), "of": ["mail"], "max_bytes": 200 << 20}
    with open(f"{folder}/policy.json", "w", encoding="utf-8") as file:
        json.dump(policy, file)
    subprocess.run(command + ["policy", "set", "default", f"{folder}/policy.json"], check=True, capture_output=True)


def file(folder, command):
    taking_files(folder, command)
    mailbox = Mailbox(folder)
    sizes = {}
    for number, size in [(NEW_MAILS, SMALL), (NEW_MAILS + 1, LARGE)]:
        item = urllib.parse.quote(mailbox.receive(number), safe="")
        mailbox.post(f"/exchange/attach?item={item}&name=large.bin&size={size}")
        result = measured(command + ["sync", mailbox.address, "--json"], folder, "file")
        versions = mailbox.lab.control("/world")["salesforce"]["ContentVersion"]
        if not any(row["ContentSize"] == size for row in versions):
            raise SystemExit(f"a file of {size} bytes did not come into the CRM")
        sizes[size] = result["rss_mib"]
    keep(folder, "file", {"more_mib": sizes[LARGE] - sizes[SMALL], "size_mib": LARGE / (1 << 20)})


def draw(title, points, along):
    plotext.clear_figure()
    plotext.plot_size(70, 14)
    plotext.title(title)
    plotext.xscale("log")
    plotext.plot([p[along] for p in points], [p["cpu_ms"] for p in points], marker="braille")
    plotext.scatter([p[along] for p in points], [p["cpu_ms"] for p in points], marker="o")
    plotext.xticks([p[along] for p in points], [f"{p[along]:,}" for p in points])
    plotext.ylim(0, 1.5 * max(p["cpu_ms"] for p in points))
    plotext.theme("clear")
    plotext.show()


def figures(folder, path):
    points = load(f"{folder}/points.json")
    fuller = [p for p in points if p["people"] == 10]
    more = [p for p in points if p["items_each"] == 100]
    draw("CPU of an item (ms), by items in ten mailboxes", fuller, "items")
    draw("CPU of an item (ms), by mailboxes of 100 items", more, "people")
    lines = []
    for name, curve, along in [("items", fuller, "items"), ("mailboxes", more, "people")]:
        for p in curve:
            ratio = p["cpu_ms"] / curve[0]["cpu_ms"]
            lines.append((f"item_cpu_at_{p[along]}_{name}", p["cpu_ms"], "ms", ratio, f"at {curve[0][along]} {name}"))
        rss = curve[-1]["rss_mib"]
        lines.append((f"memory_at_{curve[-1][along]}_{name}", rss, "MiB", rss / curve[0]["rss_mib"], f"at {curve[0][along]} {name}"))
    calls = load(f"{folder}/bench-mails.json")
    lines.append(("crm_calls_per_1000_new_mails", calls["salesforce"], "calls", calls["salesforce"] / NEW_MAILS, "a call for each"))
    lines.append(("exchange_calls_per_1000_new_mails", calls["exchange"], "calls", calls["exchange"] / NEW_MAILS, "a call for each"))
    large = load(f"{folder}/bench-file.json")
    lines.append(("memory_of_a_file_of_150_mb", large["more_mib"], "MiB", large["more_mib"] / large["size_mib"], "the file's size"))
    with open(path, "a", encoding="utf-8") as out:
        for name, value, unit, ratio, against in lines:
            print(f"bench: {name} {value:.4g} {unit} (ratio {ratio:.3g} against {against})")
            out.write(json.dumps({"name": name, "value": value, "unit": unit, "ratio": ratio, "against": against}) + "\n")


def main():
    mode, folder, rest = sys.argv[1], sys.argv[2], sys.argv[3:]
    if mode == "point":
        point(folder, int(rest[0]), int(rest[1]))
    elif mode == "mails":
        mails(folder, rest[1:])
    elif mode == "file":
        file(folder, rest[1:])
    else:
        figures(folder, rest[0])


if __name__ == "__main__":
    main()
