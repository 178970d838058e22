"""Encoders that nobody here wrote, those of Python's standard library: what they make of a text, so that the search
is tried on other spellings than its own; and a mail as they write one.

    encoders.py spellings    {"text": …} on stdin; {name: base64 of the bytes} on stdout
    encoders.py mail         {"from_name", "from", "to", "subject", "text", "html", "file_name", "file"} on stdin;
                             the mail on stdout
"""

import base64
import binascii
import codecs
import email.message
import email.policy
import email.utils
import html
import json
import quopri
import sys
import urllib.parse
from email.charset import BASE64, QP, Charset
from email.header import Header

# Long enough for every line to break within what follows or right behind it.
BEFORE = "Some words that stand before it, "


def header(text, encoding):
    charset = Charset("utf-8")
    charset.header_encoding = encoding
    return Header(text, charset, header_name="Subject").encode()


def body(text, encoding):
    charset = Charset("utf-8")
    charset.body_encoding = encoding
    return charset.body_encode(text.encode() if encoding == BASE64 else text)


def spellings(text):
    utf8 = text.encode()
    found = {
        "plain": utf8,
        "UTF-16LE": codecs.encode(text, "utf-16-le"),
        "UTF-16BE": codecs.encode(text, "utf-16-be"),
        "quopri": quopri.encodestring(utf8),
        "quopri with quoted tabs": quopri.encodestring(utf8, quotetabs=True),
        "quopri of a header": quopri.encodestring(utf8, header=True),
        "Q of a header": header(text, QP).encode(),
        "B of a header": header(text, BASE64).encode(),
        "display name": email.utils.formataddr((text, "a@b.example"), "utf-8").encode(),
        "base64 in lines": base64.encodebytes(utf8),
        "urllib": urllib.parse.quote(text).encode(),
        "urllib of a form": urllib.parse.quote_plus(text).encode(),
        "JSON": json.dumps(text).encode(),
        "HTML": html.escape(text).encode(),
        "hexadecimal": binascii.hexlify(utf8),
        "printed bytes": repr(utf8).encode(),
    }
    # A break of the line somewhere in the middle of the text, wherever it falls.
    for before in range(0, 80, 7):
        long = (BEFORE * 3)[:before] + text + " and words behind it that fill the line up to its end."
        found[f"quoted-printable after {before}"] = body(long, QP).encode()
        found[f"base64 after {before}"] = body(long, BASE64).encode()
        found[f"JSON of base64 after {before}"] = json.dumps(body(long, BASE64)).encode()
    return {name: base64.b64encode(octets).decode() for name, octets in found.items()}


def mail(parts):
    message = email.message.EmailMessage(policy=email.policy.SMTP)
    message["From"] = email.utils.formataddr((parts["from_name"], parts["from"]))
    message["To"] = parts["to"]
    message["Subject"] = parts["subject"]
    message["Date"] = email.utils.formatdate()
    message["Message-ID"] = email.utils.make_msgid(domain="canary.example")
    message.set_content(parts["text"], cte="quoted-printable")
    message.add_alternative(parts["html"], subtype="html", cte="base64")
    message.add_attachment(parts["file"].encode(), "application", "octet-stream", filename=parts["file_name"])
    return message.as_bytes()


if __name__ == "__main__":
    given = json.load(sys.stdin)
    if sys.argv[1] == "spellings":
        json.dump(spellings(given["text"]), sys.stdout)
    else:
        sys.stdout.buffer.write(mail(given))
