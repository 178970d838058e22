"""Opens both sides of the lab with clients that are not ours: exchangelib and simple-salesforce.

Each person's mailbox is opened with the person's own name and password, and each CRM user is signed in as
by an administrator's approval (JWT bearer), so that an edit is what a person at Outlook or at Salesforce's
page would have done.
"""

import json
import time

import jwt
import requests
from exchangelib import BASIC, DELEGATE, IMPERSONATION, Account, Configuration, Credentials, Version
from exchangelib.protocol import BaseProtocol
from exchangelib.version import EXCHANGE_2016
from requests.adapters import HTTPAdapter
from simple_salesforce import Salesforce


class Lab:
    """The line that `holdfast-lab up` printed."""

    def __init__(self, path):
        with open(path, encoding="utf-8") as file:
            self.line = json.load(file)
        self.exchange = self.line["exchange"]
        self.salesforce = self.line["salesforce"]
        self.people = self.line["people"]
        self.ca_file = self.exchange["ca_file"]

        ca_file = self.ca_file

        class TrustsTheLab(HTTPAdapter):
            def cert_verify(self, conn, url, verify, cert):
                super().cert_verify(conn=conn, url=url, verify=ca_file, cert=cert)

        BaseProtocol.HTTP_ADAPTER_CLS = TrustsTheLab
        self._adapter = TrustsTheLab

    def control(self, path):
        """What the lab's control surface says under `path`."""
        answer = requests.get(self.line["control_url"] + path, timeout=60)
        answer.raise_for_status()
        return answer.json()

    def mailbox(self, person):
        """The person's mailbox, opened by exchangelib as the person."""
        return self._open(person, DELEGATE, person["login"], person["password"])

    def impersonated(self, person):
        """The person's mailbox, opened by exchangelib as the service account."""
        login, password = self.exchange["service_login"], self.exchange["service_password"]
        return self._open(person, IMPERSONATION, login, password)

    def _open(self, person, access_type, login, password):
        return Account(
            person["smtp"],
            autodiscover=False,
            access_type=access_type,
            config=Configuration(
                service_endpoint=self.exchange["url"],
                auth_type=BASIC,
                credentials=Credentials(login, password),
                version=Version(build=EXCHANGE_2016),
                max_connections=1,
            ),
        )

    def crm(self, person):
        """The person's view of the CRM, opened by simple-salesforce."""
        session = requests.Session()
        session.mount("https://", self._adapter())
        login = self.salesforce["login_url"].rstrip("/")
        claim = {
            "iss": self.salesforce["peoples_client_id"],
            "sub": person["sf_username"],
            "aud": login,
            "exp": int(time.time()) + 180,
        }
        assertion = jwt.encode(claim, self.salesforce["jwt_private_key_pem"], algorithm="RS256")
        answer = session.post(
            login + "/services/oauth2/token",
            data={"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": assertion},
            timeout=60,
        )
        answer.raise_for_status()
        token = answer.json()
        return Salesforce(
            instance_url=token["instance_url"],
            session_id=token["access_token"],
            version="62.0",
            session=session,
        )
