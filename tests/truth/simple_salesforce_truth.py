"""simple-salesforce against the lab's CRM: sign-in by JWT and client credentials, records,
external ids, collections with mixed results, queries over pages, describe, limits, changes."""

import datetime
import json
import tempfile
import urllib.parse

import requests
import requests.adapters
from simple_salesforce import Salesforce, SalesforceLogin
from simple_salesforce.exceptions import (
    SalesforceAuthenticationFailed,
    SalesforceExpiredSession,
    SalesforceMalformedRequest,
    SalesforceResourceNotFound,
)

from checks import main

VERSION = "60.0"


class ToLab(requests.adapters.HTTPAdapter):
    """The library signs in at https://DOMAIN.salesforce.com whatever one says: here that is the lab."""

    def __init__(self, base, ca_file):
        super().__init__()
        self.base, self.ca_file = base, ca_file

    def send(self, request, **kwargs):
        parts = urllib.parse.urlsplit(request.url)
        request.url = self.base + parts.path + ("?" + parts.query if parts.query else "")
        return super().send(request, **{**kwargs, "verify": self.ca_file})


def session(lab):
    found = requests.Session()
    found.mount("https://", ToLab(lab.salesforce["login_url"], lab.salesforce["ca_file"]))
    return found


def signed_in(lab, person):
    """A client in one person's name, by JWT bearer."""
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as key:
        key.write(lab.salesforce["jwt_private_key_pem"])
        key.flush()
        token, instance = SalesforceLogin(
            username=person["sf_username"],
            consumer_key=lab.salesforce["client_id"],
            privatekey_file=key.name,
            domain="login",
            session=session(lab),
            sf_version=VERSION,
        )
    return Salesforce(instance=instance, session_id=token, version=VERSION, session=session(lab))


def sign_in(lab, checks):
    sf = signed_in(lab, lab.people[0])
    me = sf.query(f"SELECT Id, Username FROM User WHERE Username = '{lab.people[0]['sf_username']}'")
    checks.equal(me["records"][0]["Id"], lab.people[0]["sf_user_id"], "the user found by name")
    checks.raises(
        SalesforceAuthenticationFailed,
        lambda: signed_in(lab, {"sf_username": "nobody@nowhere.example"}),
        "a JWT for an unknown user is refused",
    )
    bad = Salesforce(
        instance=sf.sf_instance, session_id="00Dxx!nonsense", version=VERSION, session=session(lab)
    )
    failure = checks.raises(SalesforceExpiredSession, lambda: bad.query("SELECT Id FROM User"), "a wrong token")
    if failure:
        checks.equal(failure.content[0]["errorCode"], "INVALID_SESSION_ID", "the code of a wrong token")
    token, _ = SalesforceLogin(
        consumer_key=lab.salesforce["client_id"],
        consumer_secret=lab.salesforce["client_secret"],
        domain="lab.my",
        session=session(lab),
        sf_version=VERSION,
    )
    checks.that(token, "client credentials give a token")


def records(lab, checks):
    sf = signed_in(lab, lab.people[0])
    made = sf.Contact.create({"LastName": "Truth Žižka", "FirstName": "Ελένη", "Email": "truth@truth.example"})
    checks.that(made["success"] and len(made["id"]) == 18, "a contact is made and has an id of 18 letters")
    contact = sf.Contact.get(made["id"])
    checks.equal(contact["LastName"], "Truth Žižka", "the name comes back")
    checks.equal(contact["OwnerId"], lab.people[0]["sf_user_id"], "the maker owns the record")
    checks.equal(sf.Contact.update(made["id"], {"Phone": "+49 1"}), 204, "the status of an update")
    checks.equal(sf.Contact.get(made["id"])["Phone"], "+49 1", "the new telephone")
    checks.equal(sf.Contact.delete(made["id"]), 204, "the status of a deletion")
    checks.raises(SalesforceResourceNotFound, lambda: sf.Contact.get(made["id"]), "a deleted contact is not found")
    failure = checks.raises(SalesforceMalformedRequest, lambda: sf.Contact.create({}), "a contact without a name")
    if failure:
        checks.equal(failure.content[0]["errorCode"], "REQUIRED_FIELD_MISSING", "the code for a missing field")
        checks.equal(failure.content[0]["fields"], ["LastName"], "the fields that are missing")
    failure = checks.raises(
        SalesforceMalformedRequest, lambda: sf.Contact.create({"LastName": "x", "Nonsense__c": 1}), "an unknown field"
    )
    if failure:
        checks.equal(failure.content[0]["errorCode"], "INVALID_FIELD", "the code for an unknown field")


def upsert(lab, checks):
    sf = signed_in(lab, lab.people[0])
    key = "Holdfast_Key__c/" + urllib.parse.quote("truth/1-äß", safe="")
    start = {"Subject": "Truth", "StartDateTime": "2026-12-01T09:00:00Z", "EndDateTime": "2026-12-01T10:00:00Z"}
    first = sf.Event.upsert(key, start, raw_response=True)
    checks.equal(first.status_code, 201, "the status of an upsert that makes")
    checks.that(first.json()["created"], "an upsert that makes says so")
    again = sf.Event.upsert(key, {"Subject": "Truth again"}, raw_response=True)
    checks.equal(again.status_code, 200, "the status of an upsert that updates")
    event = sf.Event.get_by_custom_id("Holdfast_Key__c", "truth/1-äß")  # quotes by itself
    checks.equal(event["Subject"], "Truth again", "the record found by its key")
    checks.equal(event["DurationInMinutes"], 60, "the duration follows from start and end")
    checks.equal(event["StartDateTime"], "2026-12-01T09:00:00.000+0000", "times come as Salesforce writes them")
    sf.Event.delete(event["Id"])


def collections(lab, checks):
    sf = signed_in(lab, lab.people[0])
    rows = [{"attributes": {"type": "Task"}, "Subject": f"Truth {n}"} for n in range(200)]
    rows[7]["Status"] = "x" * 300
    rows[9]["Nonsense__c"] = 1
    answer = sf.restful("composite/sobjects", method="POST", json={"allOrNone": False, "records": rows})
    checks.equal(len(answer), 200, "one result for each row")
    failed = [n for n, row in enumerate(answer) if not row["success"]]
    checks.that(9 in failed and 0 not in failed, f"the bad rows fail and the others do not, failed were {failed}")
    ids = [row["id"] for row in answer if row["success"]]
    rows = [{"attributes": {"type": "Task"}, "id": id, "Priority": "High"} for id in ids[:50]]
    rows.append({"attributes": {"type": "Task"}, "id": "00T000000000000AAA", "Priority": "High"})
    answer = sf.restful("composite/sobjects", method="PATCH", json={"allOrNone": False, "records": rows})
    checks.that(all(row["success"] for row in answer[:50]), "known rows are updated")
    checks.that(not answer[50]["success"], "an unknown row is not")
    rows[50]["attributes"]["type"] = "Task"
    answer = sf.restful("composite/sobjects", method="PATCH", json={"allOrNone": True, "records": rows})
    checks.that(not any(row["success"] for row in answer), "all or none is none with one bad row")
    codes = {row["errors"][0]["statusCode"] for row in answer[:50] if row["errors"]}
    checks.equal(codes, {"ALL_OR_NONE_OPERATION_ROLLED_BACK"}, "what the good rows of none are told")
    keyed = [{"attributes": {"type": "Task"}, "Holdfast_Key__c": f"truth-{n % 3}", "Subject": "k"} for n in range(3)]
    path = "composite/sobjects/Task/Holdfast_Key__c"
    first = sf.restful(path, method="PATCH", json={"allOrNone": False, "records": keyed})
    second = sf.restful(path, method="PATCH", json={"allOrNone": False, "records": keyed})
    checks.equal([row["created"] for row in first], [True] * 3, "the first upsert of a collection makes")
    checks.equal([row["created"] for row in second], [False] * 3, "the second updates")
    checks.equal([row["id"] for row in first], [row["id"] for row in second], "and finds the same records")
    ids += [row["id"] for row in first]
    for at in range(0, len(ids), 200):
        batch = ",".join(ids[at : at + 200])
        answer = sf.restful("composite/sobjects", {"ids": batch, "allOrNone": "false"}, method="DELETE")
        checks.that(all(row["success"] for row in answer), "a collection is deleted")
    too_many = [{"attributes": {"type": "Task"}, "Subject": "x"}] * 201
    checks.raises(
        SalesforceMalformedRequest,
        lambda: sf.restful("composite/sobjects", method="POST", json={"records": too_many}),
        "a collection of 201 rows is refused",
    )


def queries(lab, checks):
    sf = signed_in(lab, lab.people[0])
    everything = sf.query_all("SELECT Id, Name, Email, Account.Name, Owner.Username FROM Contact ORDER BY Email")
    checks.equal(len(everything["records"]), everything["totalSize"], "all pages together are the total")
    checks.that(everything["totalSize"] >= 15, "the org has contacts")
    first = everything["records"][0]
    checks.that("Name" in (first["Account"] or {"Name": ""}), "a dotted path gives a nested record")
    email = first["Email"]
    found = sf.query(f"SELECT Id FROM Contact WHERE Email IN ('{email}', 'nobody@x.example')")
    checks.that(found["totalSize"] >= 1, "a contact is found by its address")
    checks.equal(sf.query("SELECT COUNT() FROM Contact")["totalSize"], everything["totalSize"], "the count")
    small = sf.query_more
    page = requests_page(sf, "SELECT Id FROM Contact", 200)
    if not page["done"]:
        rest = small(page["nextRecordsUrl"], identifier_is_url=True)
        checks.that(rest["records"], "the next page has records")
    failure = checks.raises(SalesforceMalformedRequest, lambda: sf.query("SELECT Nonsense FROM Contact"), "no such field")
    if failure:
        checks.equal(failure.content[0]["errorCode"], "INVALID_FIELD", "the code for an unknown field in a query")
    failure = checks.raises(SalesforceMalformedRequest, lambda: sf.query("SELECT FROM"), "a query that is none")
    if failure:
        checks.equal(failure.content[0]["errorCode"], "MALFORMED_QUERY", "the code for a query that is none")


def requests_page(sf, soql, size):
    """One query with a page size, which the library has no argument for."""
    headers = {**sf.headers, "Sforce-Query-Options": f"batchSize={size}"}
    answer = sf.session.get(sf.base_url + "query/", params={"q": soql}, headers=headers)
    return json.loads(answer.text)


def descriptions(lab, checks):
    sf = signed_in(lab, lab.people[0])
    names = {entry["name"] for entry in sf.describe()["sobjects"]}
    due = {"Account", "Contact", "Lead", "Event", "Task", "EmailMessage", "User"}
    checks.that(due <= names, f"the org has {due - names}")
    fields = {field["name"]: field for field in sf.Event.describe()["fields"]}
    checks.equal(fields["Subject"]["length"], 255, "the length of an event's subject")
    checks.that(fields["Holdfast_Key__c"]["externalId"], "the key field is an external id")
    checks.that(not fields["CreatedDate"]["createable"], "system fields cannot be set")
    limits = sf.limits()["DailyApiRequests"]
    before = limits["Remaining"]
    sf.query("SELECT Id FROM User LIMIT 1")
    checks.that(sf.limits()["DailyApiRequests"]["Remaining"] < before, "each call is counted")
    checks.that("api-usage" in sf.api_usage, "answers carry the usage header")


def changes(lab, checks):
    sf = signed_in(lab, lab.people[0])
    now = datetime.datetime.now(datetime.timezone.utc)
    window = (now - datetime.timedelta(hours=2), now + datetime.timedelta(minutes=2))
    made = sf.Task.create({"Subject": "Truth changes"})["id"]
    checks.that(made in sf.Task.updated(*window)["ids"], "a new record is among the updated")
    sf.Task.delete(made)
    deleted = sf.Task.deleted(*window)
    checks.that(made in [row["id"] for row in deleted["deletedRecords"]], "a deleted one among the deleted")
    gone = sf.query_all(f"SELECT Id, IsDeleted FROM Task WHERE Id = '{made}'", include_deleted=True)
    checks.that(gone["records"] and gone["records"][0]["IsDeleted"], "queryAll still sees it")
    checks.equal(sf.query(f"SELECT Id FROM Task WHERE Id = '{made}'")["totalSize"], 0, "query does not")


def composite(lab, checks):
    sf = signed_in(lab, lab.people[0])
    base = f"/services/data/v{VERSION}/"
    steps = [
        {"method": "POST", "url": base + "sobjects/Contact", "referenceId": "who", "body": {"LastName": "Composite"}},
        {
            "method": "POST",
            "url": base + "sobjects/Task",
            "referenceId": "what",
            "body": {"Subject": "Composite", "WhoId": "@{who.id}"},
        },
    ]
    answer = sf.restful("composite", method="POST", json={"allOrNone": True, "compositeRequest": steps})
    statuses = [step["httpStatusCode"] for step in answer["compositeResponse"]]
    if checks.equal(statuses, [201, 201], "both steps of a composite request"):
        who = answer["compositeResponse"][0]["body"]["id"]
        task = sf.Task.get(answer["compositeResponse"][1]["body"]["id"])
        checks.equal(task["WhoId"], who, "the second step refers to the first")
        sf.Task.delete(task["Id"])
        sf.Contact.delete(who)


def acting_as_a_person(lab, checks):
    """What one person's token writes is that person's."""
    for person in lab.people[:2]:
        sf = signed_in(lab, person)
        task = sf.Task.get(sf.Task.create({"Subject": "Mine"})["id"])
        checks.equal(task["CreatedById"], person["sf_user_id"], "the creator of a record")
        checks.equal(task["OwnerId"], person["sf_user_id"], "the owner of a record")
        sf.Task.delete(task["Id"])


if __name__ == "__main__":
    main(
        [sign_in, records, upsert, collections, queries, descriptions, changes, composite, acting_as_a_person]
    )
