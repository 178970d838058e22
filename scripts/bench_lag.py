#!/usr/bin/env python3
"""How long a change in a mailbox takes to its record in the CRM, over all mailboxes.

    bench_lag.py measure FOLDER NAME SECONDS -- HOLDFAST…
    bench_lag.py figures FOLDER FILE

`measure` waits until the daemon says that everything is in step, makes one task in each mailbox, spread over so many
seconds, and waits until each of them has crossed. The times are the daemon's own, from the change to the commit of
its record; HOLDFAST is how to ask it. `figures` compares what was measured as `told` with what was measured as
`asked`.
"""

import base64
import json
import ssl
import subprocess
import sys
import time
import urllib.request

ENVELOPE = """<?xml version="1.0" encoding="utf-8"?>
<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"
 xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages"
 xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types"><s:Header>
<t:RequestServerVersion Version="Exchange2016"/><t:ExchangeImpersonation><t:ConnectingSID>
<t:SmtpAddress>{mailbox}</t:SmtpAddress></t:ConnectingSID></t:ExchangeImpersonation></s:Header><s:Body>
<m:CreateItem><m:SavedItemFolderId><t:DistinguishedFolderId Id="tasks"/></m:SavedItemFolderId>
<m:Items><t:Task><t:Subject>bench</t:Subject></t:Task></m:Items></m:CreateItem></s:Body></s:Envelope>"""
PATIENCE = 900


def status(command):
    printed = subprocess.run(command + ["--json", "status"], capture_output=True, text=True).stdout
    return json.loads(printed)


def wait_until(what, answer):
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        found = answer()
        if found is not None:
            return found
        time.sleep(1)
    raise SystemExit(f"{what}: not within {PATIENCE} s")


def edit(lab, mailbox):
    exchange = lab["exchange"]
    pair = f"{exchange['service_login']}:{exchange['service_password']}".encode()
    request = urllib.request.Request(
        exchange["url"],
        ENVELOPE.format(mailbox=mailbox).encode(),
        {"Content-Type": "text/xml; charset=utf-8", "Authorization": "Basic " + base64.b64encode(pair).decode()},
    )
    context = ssl.create_default_context(cafile=exchange["ca_file"])
    with urllib.request.urlopen(request, context=context) as answer:
        if b"NoError" not in answer.read():
            raise SystemExit(f"the task in {mailbox} was refused")


def measure(folder, name, seconds, command):
    with open(f"{folder}/lab.json", encoding="utf-8") as file:
        lab = json.load(file)
    wait_until("in step", lambda: True if status(command)["in_step"] else None)
    # Long enough that everybody is listened to, where anybody is.
    time.sleep(5)
    people = lab["people"]
    begin = time.monotonic()
    for number, person in enumerate(people):
        time.sleep(max(0.0, begin + seconds * number / len(people) - time.monotonic()))
        edit(lab, person["smtp"])

    def crossed():
        lags = [row["lag_ms"] for row in status(command)["streams"] if row["kind"] == "tasks"]
        return lags if all(lag is not None for lag in lags) else None

    lags = sorted(wait_until("every task in the CRM", crossed))
    with open(f"{folder}/lag-{name}.json", "w", encoding="utf-8") as file:
        json.dump(lags, file)


def at(lags, share):
    return lags[min(len(lags) - 1, int(share * len(lags)))] / 1000


def figures(folder, path):
    lags = {}
    for name in ("told", "asked"):
        with open(f"{folder}/lag-{name}.json", encoding="utf-8") as file:
            lags[name] = json.load(file)
    count = len(lags["told"])
    with open(path, "a", encoding="utf-8") as out:
        for figure, share in [("median", 0.5), ("p99", 0.99)]:
            value, peer = at(lags["told"], share), at(lags["asked"], share)
            name, against = f"mailbox_to_crm_{figure}_at_{count}", "the same, polled every 300 s"
            print(f"bench: {name} {value:.4g} s (ratio {peer / max(value, 0.001):.3g} against {against})")
            row = {"name": name, "value": value, "unit": "s", "ratio": peer / max(value, 0.001), "against": against}
            out.write(json.dumps(row) + "\n")


def main():
    if sys.argv[1] == "figures":
        figures(sys.argv[2], sys.argv[3])
    else:
        measure(sys.argv[2], sys.argv[3], float(sys.argv[4]), sys.argv[6:])


if __name__ == "__main__":
    main()
