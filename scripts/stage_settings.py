#!/usr/bin/env python3
"""Writes what Holdfast needs to meet the lab: settings, secrets, the list of mailboxes.

    stage_settings.py FOLDER PORT

Reads FOLDER/lab.json, the line that the lab printed; PORT is where the page shall be.
"""

import csv
import json
import os
import sys
from urllib.parse import urlsplit

SETTINGS = """\
data_dir = "{folder}/data"

[log]
directory = "{folder}/log"

[web]
listen = "127.0.0.1:{port}"

[egress]
allow = [{allow}]
extra_ca_files = ["{ca_file}"]

[keyring]
key_file = "{folder}/kek"
create_key_file = true

[mail_server.lab]
kind = "exchange"
url = "{exchange_url}"
login = "{login}"
sign_in = "ntlm"
impersonate_by = "smtp"

[crm.lab]
kind = "salesforce"
login_url = "{salesforce_url}"
client_id = "{client_id}"
flow = "jwt"
watch_user = "{watch_user}"

[sync]
poll_interval_s = 2
"""


def door(url):
    """`host:port` as egress.allow wants it."""
    parts = urlsplit(url)
    return f'"{parts.hostname}:{parts.port or 443}"'


def main():
    folder, port = sys.argv[1:]
    with open(f"{folder}/lab.json", encoding="utf-8") as file:
        lab = json.load(file)
    exchange, salesforce = lab["exchange"], lab["salesforce"]
    settings = SETTINGS.format(
        folder=folder,
        port=port,
        allow=", ".join([door(exchange["url"]), door(salesforce["login_url"])]),
        ca_file=exchange["ca_file"],
        exchange_url=exchange["url"],
        login=exchange["service_login"].replace("\\", "\\\\"),
        salesforce_url=salesforce["login_url"],
        client_id=salesforce["client_id"],
        watch_user=salesforce["integration_user"]["username"],
    )
    with open(f"{folder}/holdfast.toml", "w", encoding="utf-8") as file:
        file.write(settings)
    with open(f"{folder}/url", "w", encoding="utf-8") as file:
        file.write(f"https://127.0.0.1:{port}")

    os.mkdir(f"{folder}/secrets", mode=0o700)
    for name, value in [
        ("password", exchange["service_password"]),
        ("private_key", salesforce["jwt_private_key_pem"]),
    ]:
        with open(f"{folder}/secrets/{name}", "w", encoding="utf-8") as file:
            file.write(value)

    with open(f"{folder}/mailboxes.csv", "w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["address", "mail_server", "crm", "crm_user", "policy"])
        for person in lab["people"]:
            rows.writerow([person["smtp"], "lab", "lab", person["sf_username"], "default"])


if __name__ == "__main__":
    main()
