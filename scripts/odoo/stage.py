#!/usr/bin/env python3
"""Writes what Holdfast needs to meet the lab's Exchange and a real Odoo, and fills that Odoo with the lab's people.

    stage.py FOLDER PORT ODOO.json DATABASE

Reads FOLDER/lab.json. Each person of the lab becomes one of the prepared users of the Odoo; contacts and leads are
those of the lab's other CRM.
"""

import csv
import json
import os
import sys
import urllib.request
from urllib.parse import urlsplit

SETTINGS = """\
data_dir = "{folder}/data"

[log]
directory = "{folder}/log"

[web]
listen = "127.0.0.1:{port}"

[egress]
allow = ["{mail_door}", "{crm_door}"]
extra_ca_files = ["{ca_file}"]

[keyring]
key_file = "{folder}/kek"
create_key_file = true

[mail_server.lab]
kind = "exchange"
url = "{exchange_url}"
login = '{login}'
sign_in = "ntlm"

[crm.odoo]
kind = "odoo"
url = "{odoo_url}"
database = "{database}"

[sync]
poll_interval_s = 2
"""


class Odoo:
    """The external interface, as any program may use it."""

    def __init__(self, about, database):
        self.about, self.database = about, database

    def call(self, key, model, method, **arguments):
        request = urllib.request.Request(
            f"{self.about['url']}/json/2/{model}/{method}",
            data=json.dumps(arguments).encode(),
            headers={
                "Authorization": f"bearer {key}",
                "X-Odoo-Database": self.database,
                "Content-Type": "application/json",
            },
        )
        with urllib.request.urlopen(request) as answer:
            return json.loads(answer.read())

    def admin(self, model, method, **arguments):
        return self.call(self.about["admin"]["key"], model, method, **arguments)


def door(url):
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port or 443}"


def fill(odoo, lab, people):
    """The lab's people as users, its outsiders as contacts and leads of whom they belong to."""
    owners = {}
    for person, rep in people:
        values = {"email": person["smtp"], "name": person["display"]}
        odoo.admin("res.users", "write", ids=[rep["id"]], vals=values)
        owners[person["sf_user_id"]] = rep["id"]
    with urllib.request.urlopen(f"{lab['control_url']}/world") as answer:
        world = json.loads(answer.read())["salesforce"]
    contacts = [
        {
            "name": row["Name"],
            "email": row.get("Email"),
            "phone": row.get("Phone"),
            "function": row.get("Title"),
            "user_id": owners.get(row["OwnerId"]),
        }
        for row in world["Contact"]
    ]
    leads = [
        {"name": row["Name"], "email_from": row.get("Email"), "type": "lead", "user_id": owners.get(row["OwnerId"])}
        for row in world["Lead"]
    ]
    odoo.admin("res.partner", "create", vals_list=contacts)
    odoo.admin("crm.lead", "create", vals_list=leads)


def main():
    folder, port, about, database = sys.argv[1:]
    with open(f"{folder}/lab.json", encoding="utf-8") as file:
        lab = json.load(file)
    with open(about, encoding="utf-8") as file:
        about = json.load(file)
    odoo = Odoo(about, database)
    people = list(zip(lab["people"], about["people"]))
    fill(odoo, lab, people)
    # Odoo tells its users of a change of their address; what counts is what comes after.
    with open(f"{folder}/mails-before", "w", encoding="utf-8") as file:
        file.write(str(odoo.admin("mail.mail", "search_count", domain=[])))
    exchange = lab["exchange"]
    settings = SETTINGS.format(
        folder=folder,
        port=port,
        mail_door=door(exchange["url"]),
        crm_door=door(about["url"]),
        ca_file=exchange["ca_file"],
        exchange_url=exchange["url"],
        login=exchange["service_login"],
        odoo_url=about["url"],
        database=database,
    )
    with open(f"{folder}/holdfast.toml", "w", encoding="utf-8") as file:
        file.write(settings)
    with open(f"{folder}/url", "w", encoding="utf-8") as file:
        file.write(f"https://127.0.0.1:{port}")
    os.mkdir(f"{folder}/secrets", mode=0o700)
    secrets = {"mail_server.lab.password": exchange["service_password"]}
    secrets |= {f"crm.odoo.key.{rep['login']}": rep["key"] for _, rep in people}
    for name, value in secrets.items():
        with open(f"{folder}/secrets/{name}", "w", encoding="utf-8") as file:
            file.write(value)
    with open(f"{folder}/mailboxes.csv", "w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["address", "mail_server", "crm", "crm_user", "policy"])
        for person, rep in people:
            rows.writerow([person["smtp"], "lab", "odoo", rep["login"], "default"])


if __name__ == "__main__":
    main()
