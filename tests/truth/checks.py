"""What the Python scripts of this folder share: the lab's description, counted checks, the
lab's control surface, free ports, and one way to end.

Every script is called as `script LAB_JSON_FILE`, where the file holds the line that
`holdfast-lab up` printed. Each prints a plain sentence on stderr for whatever is not as it
should be, and as its last line on stdout `ok: N checks`, exit code 0; or exits with 1.
"""

import json
import socket
import sys
import time
import traceback
import urllib.request


class Checks:
    """Counts what held and says what did not."""

    def __init__(self):
        self.count = 0
        self.failed = 0

    def that(self, holds, sentence):
        """One check: `sentence` says what should be so."""
        self.count += 1
        if not holds:
            self.failed += 1
            print(f"not so: {sentence}", file=sys.stderr)
        return bool(holds)

    def equal(self, found, due, sentence):
        """One check that two values are the same."""
        return self.that(found == due, f"{sentence}: {due!r} was due, {found!r} came")

    def raises(self, kind, action, sentence):
        """One check that an action fails in one way; gives the failure."""
        try:
            result = action()
        except kind as failure:
            self.count += 1
            return failure
        except Exception as failure:  # another failure than the one due is a finding too
            self.that(False, f"{sentence}: {type(failure).__name__}: {failure}")
            return None
        self.that(False, f"{sentence}: it went through and gave {result!r}")
        return None


class Lab:
    """The running lab as its JSON line describes it."""

    def __init__(self, path):
        with open(path, encoding="utf-8") as file:
            self.description = json.loads(file.readline())
        self.exchange = self.description["exchange"]
        self.salesforce = self.description["salesforce"]
        self.people = self.description["people"]

    def control(self, method, path, body=None):
        """One call of the control surface; gives the parsed answer."""
        data = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.description["control_url"] + path, data=data, method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read() or b"null")

    def noticed(self, kind):
        """How many entries of one kind the ledger has."""
        return self.control("GET", "/ledger")["counts"].get(kind, 0)


def free_port():
    """A port that nobody listens on now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def until(condition, seconds, sentence):
    """Waits for a condition; gives its first true value."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise TimeoutError(f"after {seconds} s still not so: {sentence}")
        time.sleep(0.05)


def main(parts):
    """Runs the parts of a script one after the other; one that breaks does not stop the rest."""
    if len(sys.argv) != 2:
        print(f"usage: {sys.argv[0]} LAB_JSON_FILE", file=sys.stderr)
        sys.exit(2)
    lab, checks = Lab(sys.argv[1]), Checks()
    for part in parts:
        try:
            part(lab, checks)
        except Exception as failure:
            checks.failed += 1
            print(f"{part.__name__} broke off: {type(failure).__name__}: {failure}", file=sys.stderr)
            traceback.print_exc(limit=-4, file=sys.stderr)
    if checks.failed:
        print(f"{checks.failed} of {checks.count} checks did not hold", file=sys.stderr)
        sys.exit(1)
    print(f"ok: {checks.count} checks")
