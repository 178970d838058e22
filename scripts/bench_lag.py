#!/usr/bin/env python3
"""How long a change takes to the other side, over all mailboxes.

    bench_lag.py measure FOLDER NAME SECONDS -- HOLDFAST…
    bench_lag.py figures FOLDER FILE

`measure` waits until the daemon says that everything is in step, makes one task in each mailbox, spread over so many
seconds, and waits until each of them has crossed; then it does the same with a task for each user in the CRM. The times
are the daemon's own, from the change to the commit of its counterpart; HOLDFAST is how to ask it. `figures` compares
what was measured as `told` with what was measured as `asked`.
"""

import base64
import json
import ssl
import subprocess
import sys
import time
import urllib.parse
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


def opened(request, lab):
    context = ssl.create_default_context(cafile=lab["exchange"]["ca_file"])
    with urllib.request.urlopen(request, context=context) as answer:
        return answer.read()


def in_mailbox(lab, person):
    exchange = lab["exchange"]
    pair = f"{exchange['service_login']}:{exchange['service_password']}".encode()
    request = urllib.request.Request(
        exchange["url"],
        ENVELOPE.format(mailbox=person["smtp"]).encode(),
        {"Content-Type": "text/xml; charset=utf-8", "Authorization": "Basic " + base64.b64encode(pair).decode()},
    )
    if b"NoError" not in opened(request, lab):
        raise SystemExit(f"the task in {person['smtp']} was refused")


def crm_token(lab):
    salesforce = lab["salesforce"]
    form = {
        "grant_type": "client_credentials",
        "client_id": salesforce["client_id"],
        "client_secret": salesforce["client_secret"],
    }
    url = salesforce["login_url"].rstrip("/") + "/services/oauth2/token"
    return json.loads(opened(urllib.request.Request(url, urllib.parse.urlencode(form).encode()), lab))


def in_crm(lab, token, person):
    request = urllib.request.Request(
        token["instance_url"].rstrip("/") + "/services/data/v62.0/sobjects/Task",
        json.dumps({"Subject": "bench", "OwnerId": person["sf_user_id"]}).encode(),
        {"Content-Type": "application/json", "Authorization": "Bearer " + token["access_token"]},
    )
    opened(request, lab)


def tasks(command):
    """Of each mailbox's tasks: how many are linked, and how long the last fresh change took."""
    return {row["mailbox"]: (row["linked"], row["lag_ms"]) for row in status(command)["streams"] if row["kind"] == "tasks"}


def spread(people, seconds, edit):
    begin = time.monotonic()
    for number, person in enumerate(people):
        time.sleep(max(0.0, begin + seconds * number / len(people) - time.monotonic()))
        edit(person)


def lags_of(people, seconds, edit, command):
    before = tasks(command)
    spread(people, seconds, edit)

    def crossed():
        now = tasks(command)
        arrived = all(now[mailbox][0] > linked for mailbox, (linked, _) in before.items())
        return [lag for _, lag in now.values()] if arrived else None

    return sorted(wait_until("every task on the other side", crossed))


def measure(folder, name, seconds, command):
    with open(f"{folder}/lab.json", encoding="utf-8") as file:
        lab = json.load(file)
    wait_until("in step", lambda: True if status(command)["in_step"] else None)
    # Long enough that everybody is listened to, where anybody is.
    time.sleep(5)
    people, token = lab["people"], crm_token(lab)
    lags = {
        "mailbox_to_crm": lags_of(people, seconds, lambda person: in_mailbox(lab, person), command),
        "crm_to_mailbox": lags_of(people, seconds, lambda person: in_crm(lab, token, person), command),
    }
    with open(f"{folder}/lag-{name}.json", "w", encoding="utf-8") as file:
        json.dump(lags, file)


def at(lags, share):
    return lags[min(len(lags) - 1, int(share * len(lags)))] / 1000


def figures(folder, path):
    lags = {}
    for name in ("told", "asked"):
        with open(f"{folder}/lag-{name}.json", encoding="utf-8") as file:
            lags[name] = json.load(file)
    with open(path, "a", encoding="utf-8") as out:
        for way in lags["told"]:
            told, asked = lags["told"][way], lags["asked"][way]
            for figure, share in [("median", 0.5), ("p99", 0.99)]:
                value, peer = at(told, share), at(asked, share)
                name, against = f"{way}_{figure}_at_{len(told)}", "the same, polled every 300 s"
                ratio = peer / max(value, 0.001)
                print(f"bench: {name} {value:.4g} s (ratio {ratio:.3g} against {against})")
                out.write(json.dumps({"name": name, "value": value, "unit": "s", "ratio": ratio, "against": against}) + "\n")


def main():
    if sys.argv[1] == "figures":
        figures(sys.argv[2], sys.argv[3])
    else:
        measure(sys.argv[2], sys.argv[3], float(sys.argv[4]), sys.argv[6:])


if __name__ == "__main__":
    main()
