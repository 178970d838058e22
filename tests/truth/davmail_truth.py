"""DavMail in front of the lab's Exchange: what IMAP, SMTP, CalDAV and CardDAV clients see.

DavMail reads MIME texts, iCalendar texts, dates and ids more strictly than any other client,
so this is the check of the stored data. It is started on free ports with a folder of its own
and stopped at the end."""

import contextlib
import datetime
import email
import email.policy
import email.utils
import imaplib
import os
import re
import smtplib
import subprocess
import tempfile
import uuid
import xml.etree.ElementTree as xml
from email.message import EmailMessage

import requests

from checks import free_port, main, until

JAR = "/usr/share/davmail/davmail.jar"
DAV = {"D": "DAV:", "C": "urn:ietf:params:xml:ns:caldav", "A": "urn:ietf:params:xml:ns:carddav"}


class DavMail:
    """One running DavMail."""

    def __init__(self, lab, folder):
        self.imap, self.smtp, self.caldav = free_port(), free_port(), free_port()
        settings = {
            "davmail.server": "true",
            "davmail.mode": "EWS",
            "davmail.url": lab.exchange["http_url"],
            "davmail.bindAddress": "127.0.0.1",
            "davmail.allowRemote": "false",
            "davmail.imapPort": self.imap,
            "davmail.smtpPort": self.smtp,
            "davmail.caldavPort": self.caldav,
            "davmail.popPort": "",
            "davmail.ldapPort": "",
            "davmail.disableUpdateCheck": "true",
            "davmail.caldavPastDelay": "0",
            "davmail.smtpSaveInSent": "true",
            "davmail.logFilePath": os.path.join(folder, "davmail.log"),
            "log4j.logger.davmail": "WARN",
            "log4j.rootLogger": "WARN",
        }
        path = os.path.join(folder, "davmail.properties")
        with open(path, "w", encoding="utf-8") as file:
            file.writelines(f"{name}={value}\n" for name, value in settings.items())
        self.output = open(os.path.join(folder, "output"), "wb")
        self.process = subprocess.Popen(
            ["java", "-Xmx256m", "-jar", JAR, "-server", path], stdout=self.output, stderr=self.output
        )

    def ready(self):
        if self.process.poll() is not None:
            raise RuntimeError(f"DavMail ended with {self.process.returncode}")
        try:
            requests.get(f"http://127.0.0.1:{self.caldav}/", timeout=5)
            return True
        except requests.ConnectionError:
            return False

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=30)
        self.output.close()


@contextlib.contextmanager
def mailbox(davmail, person):
    """An IMAP session of one person."""
    session = imaplib.IMAP4("127.0.0.1", davmail.imap)
    session.login(person["smtp"], person["password"])
    try:
        yield session
    finally:
        session.logout()


def letter(subject, sender, receiver):
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, receiver, subject
    message["Date"] = email.utils.formatdate(usegmt=True)
    message["Message-ID"] = f"<{uuid.uuid4()}@truth.example>"
    message.set_content("Grüße, 会議 🎉\n")
    message.add_attachment(b"\x00\x01\x02", maintype="application", subtype="octet-stream", filename="plán.bin")
    return message


def fetched(session, number):
    _, data = session.fetch(number, "(BODY.PEEK[])")
    return email.message_from_bytes(data[0][1], policy=email.policy.default)


def reading(lab, davmail, checks):
    with mailbox(davmail, lab.people[0]) as session:
        names = b"\n".join(session.list()[1])
        for name in (b"INBOX", b"Sent", b"Drafts", b"Trash"):
            checks.that(name in names, f"the list of folders has {name.decode()}, it is {names!r}")
        status, data = session.select("INBOX")
        total = int(data[0])
        checks.that(status == "OK" and total > 10, f"the inbox opens and holds mail, {total}")
        subjects = 0
        for number in range(max(1, total - 9), total + 1):
            message = fetched(session, str(number))
            subjects += message["Subject"] is not None
            checks.that(message["From"] and message["Date"], f"mail {number} has a sender and a date")
            checks.equal(message.defects, [], f"defects of mail {number}")
        checks.that(subjects == 10 or total < 10, "each mail has a subject")


def writing(lab, davmail, checks):
    me = lab.people[0]
    with mailbox(davmail, me) as session:
        session.select("INBOX")
        message = letter("Truth DavMail žluťoučký", "other@other.example", me["smtp"])
        status, _ = session.append("INBOX", "", None, message.as_bytes())
        checks.equal(status, "OK", "a mail is appended")
        session.noop()
        _, found = session.search(None, "HEADER", "Message-ID", message["Message-ID"])
        numbers = found[0].split()
        if not checks.equal(len(numbers), 1, "the mail is found by its Message-ID"):
            return
        number = numbers[0].decode()
        read = fetched(session, number)
        checks.equal(read["Subject"], message["Subject"], "its subject")
        checks.that("会議 🎉" in read.get_body(("plain",)).get_content(), "its text")
        files = [part.get_content() for part in read.iter_attachments()]
        checks.equal(files, [b"\x00\x01\x02"], "its attachment")
        session.store(number, "+FLAGS", r"(\Flagged \Seen)")
        _, data = session.fetch(number, "(FLAGS)")
        checks.that(b"\\Flagged" in data[0] and b"\\Seen" in data[0], f"its flags, {data[0]!r}")
        session.create("Truth")
        checks.equal(session.copy(number, "Truth")[0], "OK", "it is copied")
        checks.equal(session.select("Truth")[1], [b"1"], "the copy is in the other folder")
        session.store("1", "+FLAGS", r"(\Deleted)")
        session.expunge()
        session.select("INBOX")
        session.delete("Truth")
        _, found = session.search(None, "HEADER", "Message-ID", message["Message-ID"])
        for number in found[0].split():
            session.store(number, "+FLAGS", r"(\Deleted)")
        session.expunge()
        _, found = session.search(None, "HEADER", "Message-ID", message["Message-ID"])
        checks.equal(found[0], b"", "it is deleted")


def sending(lab, davmail, checks):
    me, other = lab.people[0], lab.people[1]
    message = letter(f"Truth by SMTP {uuid.uuid4()}", me["smtp"], other["smtp"])
    with smtplib.SMTP("127.0.0.1", davmail.smtp) as smtp:
        smtp.login(me["smtp"], me["password"])
        smtp.send_message(message)
    with mailbox(davmail, other) as session:
        session.select("INBOX")
        _, found = session.search(None, "SUBJECT", message["Subject"].split()[-1])
        numbers = found[0].split()
        if checks.equal(len(numbers), 1, "the mail has arrived"):
            read = fetched(session, numbers[0].decode())
            checks.that("会議 🎉" in read.get_body(("plain",)).get_content(), "its text")
            session.store(numbers[0], "+FLAGS", r"(\Deleted)")
            session.expunge()


class Web:
    """CalDAV and CardDAV requests of one person."""

    def __init__(self, davmail, person):
        self.base = f"http://127.0.0.1:{davmail.caldav}"
        self.login = (person["smtp"], person["password"])

    def call(self, method, path, body=None, **headers):
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        data = body.encode() if body else None
        return requests.request(
            method, self.base + path, data=data, headers=headers, auth=self.login, timeout=120
        )

    def report(self, path, body):
        """The answers of a REPORT: path, status, text of the property that ends in -data."""
        answer = self.call("REPORT", path, body, Content_Type="text/xml; charset=utf-8", Depth="1")
        if answer.status_code != 207:
            raise RuntimeError(f"REPORT {path} gave {answer.status_code}: {answer.text[:300]}")
        found = []
        for response in xml.fromstring(answer.content).findall("D:response", DAV):
            status = response.findtext("D:status", "", DAV) or response.findtext(".//D:status", "", DAV)
            text = response.findtext(".//C:calendar-data", None, DAV) or response.findtext(".//A:address-data", None, DAV)
            found.append((response.findtext("D:href", "", DAV), status, text))
        return found


def multiget(kind, prefix, paths):
    hrefs = "".join(f"<D:href>{path}</D:href>" for path in paths)
    spaces = f'xmlns:D="DAV:" xmlns:{prefix}="{DAV[prefix]}"'
    data = "calendar-data" if prefix == "C" else "address-data"
    return f"<{prefix}:{kind} {spaces}><D:prop><D:getetag/><{prefix}:{data}/></D:prop>{hrefs}</{prefix}:{kind}>"


def calendar(lab, davmail, checks):
    web, path = Web(davmail, lab.people[0]), f"/users/{lab.people[0]['smtp']}/calendar/"
    now = datetime.datetime.now(datetime.timezone.utc)
    window = [(now + datetime.timedelta(days=days)).strftime("%Y%m%dT000000Z") for days in (-30, 60)]
    query = (
        '<C:calendar-query xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><D:prop><D:getetag/></D:prop>'
        '<C:filter><C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT">'
        f'<C:time-range start="{window[0]}" end="{window[1]}"/></C:comp-filter></C:comp-filter></C:filter>'
        "</C:calendar-query>"
    )
    listed = [href for href, _, _ in web.report(path, query)]
    checks.that(len(listed) >= 5, f"the calendar has events in the range, {len(listed)}")
    events = web.report(path, multiget("calendar-multiget", "C", listed))
    checks.equal(len(events), len(listed), "each listed event is given")
    whole = [text for _, _, text in events if text and text.lstrip().startswith("BEGIN:VCALENDAR")]
    checks.equal(len(whole), len(listed), "each is a calendar text")
    checks.that(any("RRULE:" in text for text in whole), "a series has its rule")
    own_event(web, path, checks)


def own_event(web, path, checks):
    uid, start = str(uuid.uuid4()), datetime.date.today() + datetime.timedelta(days=20)
    text = "\r\n".join(
        [
            "BEGIN:VCALENDAR",
            "PRODID:-//truth//EN",
            "VERSION:2.0",
            "BEGIN:VEVENT",
            f"UID:{uid}",
            "DTSTAMP:20261101T000000Z",
            f"DTSTART:{start:%Y%m%d}T090000Z",
            f"DTEND:{start:%Y%m%d}T100000Z",
            "SUMMARY:Truth žluťoučký",
            "LOCATION:Zürich",
            "RRULE:FREQ=WEEKLY;COUNT=3",
            "END:VEVENT",
            "END:VCALENDAR",
            "",
        ]
    )
    put = web.call("PUT", f"{path}{uid}.ics", text, Content_Type="text/calendar; charset=utf-8")
    if not checks.that(put.status_code in (200, 201), f"an event is written, {put.status_code} {put.text[:300]}"):
        return
    read = web.call("GET", f"{path}{uid}.ics")
    checks.equal(read.status_code, 200, "the status of reading it")
    unfolded = re.sub(r"\r?\n[ \t]", "", read.content.decode("utf-8"))
    for line in ("SUMMARY:Truth žluťoučký", "LOCATION:Zürich", "COUNT=3", "BEGIN:VTIMEZONE"):
        checks.that(line in unfolded, f"the event says {line}, it is {unfolded!r}")
    checks.that(web.call("DELETE", f"{path}{uid}.ics").status_code in (200, 204), "it is deleted")


def contacts(lab, davmail, checks):
    web, path = Web(davmail, lab.people[0]), f"/users/{lab.people[0]['smtp']}/contacts/"
    ask = '<D:propfind xmlns:D="DAV:"><D:prop><D:getetag/></D:prop></D:propfind>'
    answer = web.call("PROPFIND", path, ask, Depth="1", Content_Type="text/xml; charset=utf-8")
    listed = [
        response.findtext("D:href", "", DAV)
        for response in xml.fromstring(answer.content).findall("D:response", DAV)
        if response.findtext("D:href", "", DAV).lower().endswith((".vcf", ".eml"))
    ]
    checks.that(len(listed) >= 20, f"the contacts are listed, {len(listed)}")
    cards = web.report(path, multiget("addressbook-multiget", "A", listed[:20]))
    whole = [text for _, _, text in cards if text and "BEGIN:VCARD" in text]
    checks.equal(len(whole), len(listed[:20]), "each is a card")
    uid = str(uuid.uuid4())
    card = "\r\n".join(
        [
            "BEGIN:VCARD",
            "VERSION:3.0",
            f"UID:{uid}",
            "FN:Ελένη Žižková",
            "N:Žižková;Ελένη;;;",
            "EMAIL;TYPE=work:eleni@truth.example",
            "TEL;TYPE=cell:+30 1",
            "END:VCARD",
            "",
        ]
    )
    put = web.call("PUT", f"{path}{uid}.vcf", card, Content_Type="text/vcard; charset=utf-8")
    if checks.that(put.status_code in (200, 201), f"a card is written, {put.status_code} {put.text[:300]}"):
        read = web.call("GET", f"{path}{uid}.vcf").content.decode("utf-8")
        checks.that("Žižková" in read and "eleni@truth.example" in read, f"the card comes back, it is {read!r}")
        checks.that(web.call("DELETE", f"{path}{uid}.vcf").status_code in (200, 204), "it is deleted")


def everything(lab, checks):
    with tempfile.TemporaryDirectory(prefix="davmail-") as folder:
        davmail = DavMail(lab, folder)
        try:
            until(davmail.ready, 60, "DavMail answers")
            for part in (reading, writing, sending, calendar, contacts):
                try:
                    part(lab, davmail, checks)
                except Exception as failure:
                    checks.that(False, f"{part.__name__} goes through: {type(failure).__name__}: {failure}")
        finally:
            davmail.stop()


if __name__ == "__main__":
    main([everything])
