"""Microsoft's schema against everything that went over the wire of the lab's Exchange.

Validates the folder that the lab was told to record into (`holdfast-lab up --record DIR`), so
it runs last, after whatever should be judged has run. Every answer must be valid under the
newest schema. Every request of the product's own connector must be valid under the newest one
and under that of the oldest server it may meet; requests of the other clients are theirs.

The schema is Microsoft's and not part of the project: its place comes from HOLDFAST_EWS_SCHEMA,
else it is looked for in `../shared/ews-schema` beside the checkout; without it nothing is
checked, and this says so."""

import collections
import json
import os
import pathlib
import sys

from lxml import etree

from checks import main

NEWEST, OLDEST = "SE", "2010_SP2"
SOAP = "{http://schemas.xmlsoap.org/soap/envelope/}"
TYPES = "http://schemas.microsoft.com/exchange/services/2006/types"
OWN_AGENT = "holdfast"
# A broken file says the same thing many times over.
SHOWN = 5


def schema_folder():
    named = os.environ.get("HOLDFAST_EWS_SCHEMA")
    beside = pathlib.Path(__file__).resolve().parents[2].parent / "shared" / "ews-schema"
    return pathlib.Path(named) if named else beside


class WithXmlNamespace(etree.Resolver):
    """types.xsd imports the XML namespace without saying from where; this says it, in memory."""

    def resolve(self, url, public_id, context):
        if not url.endswith("types.xsd"):
            return None
        text = pathlib.Path(url.removeprefix("file://")).read_text(encoding="utf-8-sig")
        bare = 'namespace="http://www.w3.org/XML/1998/namespace"'
        if "xml.xsd" not in text:
            text = text.replace(bare, f'{bare} schemaLocation="xml.xsd"')
        return self.resolve_string(text, context, base_url=url)


def load(version):
    parser = etree.XMLParser(no_network=True)
    parser.resolvers.add(WithXmlNamespace())
    return etree.XMLSchema(etree.parse(str(schema_folder() / version / "messages.xsd"), parser))


def judged(document):
    """The parts of an envelope that the schema knows: the header's children and the body's."""
    for part in document.getroot():
        if part.tag in (SOAP + "Header", SOAP + "Body"):
            yield from (child for child in part if isinstance(child.tag, str) and child.tag != SOAP + "Fault")


def known(message):
    """GetStreamingEvents: the schema's types call for t:Notification and t:SubscriptionId (inside
    ErrorSubscriptionIds). Microsoft's own examples and every client have m:Notification; exchangelib and the
    Managed API look for m:SubscriptionId. What is read there is what is sent there."""
    expected = f"Expected is ( {{{TYPES}}}SubscriptionId )"
    return "messages}Notification'" in message or ("messages}SubscriptionId'" in message and expected in message)


def violations(schema, path, passed_over=()):
    """What is wrong with one file, as sentences without its content."""
    try:
        document = etree.parse(str(path), etree.XMLParser(no_network=True, huge_tree=True))
    except etree.XMLSyntaxError as failure:
        return [f"no XML: {failure.msg}"]
    if document.getroot().tag != SOAP + "Envelope":
        return [f"the root is {document.getroot().tag}"]
    found = []
    for part in judged(document):
        if etree.QName(part).localname in passed_over:
            continue
        # Written out and read again, so that the prefixes of the envelope stay known to xsi:type.
        alone = etree.fromstring(etree.tostring(part))
        if passed_over:
            # Sent to a server that asked for it by its version; an older one is not sent it.
            alone.attrib.pop("SuppressReadReceipts", None)
        if not schema.validate(alone):
            messages = [entry.message for entry in schema.error_log]
            found += [f"{etree.QName(part).localname}: {message}" for message in messages if not known(message)]
    return found


def index(folder):
    """User agent by request number."""
    lines = (folder / "index.jsonl").read_text(encoding="utf-8").splitlines()
    return {entry["number"]: entry for entry in map(json.loads, lines)}


class Findings:
    """Equal complaints of many files are one finding."""

    def __init__(self):
        self.files = collections.defaultdict(list)

    def add(self, what, path, sentences):
        for sentence in dict.fromkeys(sentences):
            self.files[(what, sentence)].append(path.name)

    def report(self, checks):
        for (what, sentence), names in self.files.items():
            some = ", ".join(names[:SHOWN])
            checks.that(False, f"{what} is valid: {sentence} ({len(names)} files: {some})")


def validate(lab, checks):
    if not (schema_folder() / NEWEST / "messages.xsd").exists():
        print(f"skipped: there is no schema at {schema_folder()}", file=sys.stderr)
        return
    folder = lab.exchange.get("record")
    files = sorted(pathlib.Path(folder).glob("*.xml")) if folder else []
    if not checks.that(files, "something was recorded: start the lab with --record DIR and let clients work"):
        return
    newest, oldest = load(NEWEST), load(OLDEST)
    requests = index(pathlib.Path(folder))
    findings = Findings()
    for path in files:
        number = int(path.name.split("-")[0])
        agent = requests.get(number, {}).get("user_agent", "")
        if "-request" not in path.name:
            checks.count += 1
            findings.add("an answer", path, violations(newest, path))
        elif agent.lower().startswith(OWN_AGENT):
            checks.count += 2
            findings.add(f"a request under {NEWEST}", path, violations(newest, path))
            # The version asked for is newer than the oldest schema can say; the rest must fit it.
            passed_over = ["RequestServerVersion"]
            findings.add(f"a request under {OLDEST}", path, violations(oldest, path, passed_over))
    findings.report(checks)


if __name__ == "__main__":
    main([validate])
