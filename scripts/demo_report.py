#!/usr/bin/env python3
"""The numbers of the demonstration, from the lab's own books and from Holdfast's.

    demo_report.py mark FOLDER NAME     keeps the lab's counts under a name
    demo_report.py table FOLDER         prints the table; exits non-zero if a promise is broken

The lab counts what reached it and what its people would have noticed; Holdfast says what it wrote, left alone and
failed at. Where both know a number, they must agree.
"""

import json
import sys
from collections import Counter

from lab_clients import Lab

FOLDERS = {"calendar": "IPF.Appointment", "contacts": "IPF.Contact", "tasks": "IPF.Task", "mail": "IPF.Note"}


def load(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def mark(lab, folder, name):
    with open(f"{folder}/mark-{name}.json", "w", encoding="utf-8") as file:
        json.dump({"stats": lab.control("/stats"), "world": identities(lab.control("/world"))}, file)
