#!/usr/bin/env python3
"""Runs what is measured, and makes figures of it.

    bench.py run FOLDER NAME -- COMMAND…             wall, CPU and memory of a command, and what it printed
    bench.py holdfast FOLDER POSTMASTER -- COMMAND…  the same of Holdfast, with its PostgreSQL and the lab's counts
    bench.py figures FOLDER FILE                     the figures, printed and appended to FILE as JSON lines
"""

import json
import os
import subprocess
import sys
import time

from lab_clients import Lab

TICKS = os.sysconf("SC_CLK_TCK")


def load(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def keep(folder, name, value):
    with open(f"{folder}/bench-{name}.json", "w", encoding="utf-8") as file:
        json.dump(value, file)


def measured(command, folder, name):
    """Runs a command. Its standard error goes through; what it printed is kept beside its costs."""
    out = f"{folder}/bench-{name}.out"
    since = time.monotonic()
    with open(out, "wb") as file:
        process = subprocess.Popen(command, stdout=file)
        _, status, usage = os.wait4(process.pid, 0)
    wall = time.monotonic() - since
    if os.waitstatus_to_exitcode(status) not in (0, 1):
        raise SystemExit(f"{name} failed: {command}")
    with open(out, encoding="utf-8") as file:
        printed = [json.loads(line) for line in file if line.startswith("{") and line.endswith("}\n")]
    cpu = usage.ru_utime + usage.ru_stime
    return {"wall_s": wall, "cpu_s": cpu, "rss_mib": usage.ru_maxrss / 1024, "printed": printed}


def cpu_of_tree(pid):
    """Seconds of CPU that a process and its children have used, those that ended included."""
    total = 0
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open(f"/proc/{entry}/stat", encoding="utf-8") as file:
                fields = file.read().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(entry) == pid:
            total += sum(int(field) for field in fields[11:15])
        elif int(fields[1]) == pid:
            total += sum(int(field) for field in fields[11:13])
    return total / TICKS


def holdfast(folder, postmaster, command):
    lab = Lab(f"{folder}/lab.json")
    before, cpu = lab.control("/stats"), cpu_of_tree(postmaster)
    result = measured(command, folder, "holdfast")
    after = lab.control("/stats")
    result["postgresql_cpu_s"] = cpu_of_tree(postmaster) - cpu
    result["exchange"] = delta(before["exchange"], after["exchange"])
    result["salesforce"] = delta(before["salesforce"], after["salesforce"])
    status = subprocess.run(
        [command[0], "--config", f"{folder}/holdfast.toml", "status", "--json"],
        check=False,
        capture_output=True,
        text=True,
    )
    result["status"] = json.loads(status.stdout)
    result["links_bytes"] = links_bytes(folder)
    keep(folder, "holdfast", result)


def delta(before, after):
    """Requests between two looks at the lab's counts; answers 401 are the handshake's and counted apart."""
    ops = {
        name: count - before.get("operations", {}).get(name, 0) for name, count in after.get("operations", {}).items()
    }
    requests = after["requests"] - before.get("requests", 0)
    refused = after["unauthorized"] - before.get("unauthorized", 0)
    return {"requests": requests - refused, "handshakes": refused, "operations": {n: c for n, c in ops.items() if c}}


def links_bytes(folder):
    """Bytes of the table of links with its indexes, asked of the private PostgreSQL."""
    for root, _, files in os.walk(f"{folder}/data"):
        sockets = [name for name in files if name.startswith(".s.PGSQL.") and not name.endswith(".lock")]
        if sockets:
            answer = subprocess.run(
                ["psql", "-h", root, "-p", sockets[0].rsplit(".", 1)[1], "-U", "holdfast_owner", "-d", "holdfast"]
                + ["-Atc", "SELECT pg_total_relation_size('links')"],
                check=True,
                capture_output=True,
                text=True,
            )
            return int(answer.stdout)
    raise SystemExit("the private PostgreSQL has no socket")


def streams(status):
    return status["streams"] if isinstance(status, dict) else status


def figures(folder, file):
    ours, peer, floor = (load(f"{folder}/bench-{name}.json") for name in ("holdfast", "peer", "floor"))
    script = peer["printed"][-1]
    replay = floor["printed"][-1]
    rows = streams(ours["status"])
    linked = sum(row["linked"] for row in rows)
    items = sum(row["linked"] + row["skipped"] + row["failed"] for row in rows)
    mails = sum(row["linked"] for row in rows if row["kind"] == "mail")
    cpu = ours["cpu_s"] + ours["postgresql_cpu_s"]
    rate, peer_rate = items / cpu, script["read"] / script["cpu_s"]
    wall_rate, peer_wall = items / ours["wall_s"], script["read"] / script["wall_s"]
    calls = ours["exchange"]["requests"]
    mail_calls = ours["salesforce"]["requests"]
    lines = [
        ("first_sync_per_core_second", rate, "items/s", rate / peer_rate, "exchangelib + simple-salesforce"),
        ("first_sync_wall", wall_rate, "items/s", wall_rate / peer_wall, "exchangelib + simple-salesforce"),
        ("first_sync_floor", ours["wall_s"], "s", replay["wall_s"] / ours["wall_s"], "the same requests replayed"),
        (
            "client_cpu_per_item",
            1000 * ours["cpu_s"] / items,
            "ms",
            (ours["cpu_s"] / items) / (script["cpu_s"] / script["read"]),
            "exchangelib + simple-salesforce",
        ),
        ("postgresql_cpu_per_item", 1000 * ours["postgresql_cpu_s"] / items, "ms", None, None),
        ("exchange_calls_per_1000_items", 1000 * calls / items, "calls", None, None),
        ("crm_calls_per_1000_items", 1000 * mail_calls / items, "calls", None, None),
        ("bytes_per_link", ours["links_bytes"] / linked, "bytes", None, None),
        ("memory_of_the_first_sync", ours["rss_mib"], "MiB", ours["rss_mib"] * 1024 / script["rss_kib"], "the script"),
    ]
    if replay["refused"] * 20 > replay["requests"]:
        raise SystemExit(f"{replay['refused']} of {replay['requests']} replayed requests were refused: no floor")
    print(f"  {items} items looked at, {linked} linked, {mails} mails among them")
    with open(file, "a", encoding="utf-8") as out:
        for name, value, unit, ratio, against in lines:
            tail = f" (ratio {ratio:.3g} against {against})" if ratio is not None else ""
            print(f"bench: {name} {value:.4g} {unit}{tail}")
            out.write(json.dumps({"name": name, "value": value, "unit": unit, "ratio": ratio, "against": against}) + "\n")


def main():
    mode, folder, rest = sys.argv[1], sys.argv[2], sys.argv[3:]
    if mode == "figures":
        figures(folder, rest[0])
        return
    what, command = rest[0], rest[2:]
    if mode == "holdfast":
        holdfast(folder, int(what), command)
    else:
        keep(folder, what, measured(command, folder, what))


if __name__ == "__main__":
    main()
