"""A mailbox of the lab to which customers write, for the benchmarks."""

import urllib.parse
from datetime import datetime, timezone
from email.message import EmailMessage
from email.utils import format_datetime

import requests

from lab_clients import Lab


class Mailbox:
    """The lab's first mailbox."""

    def __init__(self, folder):
        self.lab = Lab(f"{folder}/lab.json")
        self.address = self.lab.people[0]["smtp"]
        contacts = self.lab.control("/world")["salesforce"]["Contact"]
        self.customers = [row["Email"] for row in contacts if row.get("Email")]

    def post(self, path, body=b""):
        answer = requests.post(self.lab.line["control_url"] + path, data=body, timeout=300)
        answer.raise_for_status()
        return answer.json()

    def receive(self, number):
        mail = EmailMessage()
        mail["From"] = self.customers[number % len(self.customers)]
        mail["To"] = self.address
        mail["Subject"] = f"Bench {number}"
        mail["Message-ID"] = f"<bench-{number}@customer.example>"
        mail["Date"] = format_datetime(datetime.now(timezone.utc))
        mail.set_content("As we said on the telephone. " * 20)
        path = f"/exchange/import-eml?mailbox={urllib.parse.quote(self.address)}&folder=inbox"
        return self.post(path, mail.as_bytes())["id"]
