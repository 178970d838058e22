"""Fed to `odoo shell`: the users of the prepared database and their API keys, printed as one line of JSON.

Two hundred sales users, so that every test takes some of its own: what one test does, no other sees in its feed.
"""

import json
from datetime import datetime, timedelta

PEOPLE = 200

# What docs/operating/odoo.md asks an administrator to make: Holdfast's key on four models, and on a fifth where tasks
# are activities.
for model in ("res.partner", "calendar.event", "project.task", "mail.activity", "mail.message"):
    env["ir.model.fields"].create(
        {
            "model_id": env["ir.model"]._get_id(model),
            "name": "x_holdfast_key",
            "field_description": "Holdfast key",
            "ttype": "char",
            "size": 64,
            "index": True,
            "copied": False,
        }
    )

users = env["res.users"]
groups = [
    env.ref(name).id
    for name in (
        "base.group_user",
        "base.group_partner_manager",
        "sales_team.group_sale_salesman",
        "project.group_project_user",
        "crm.group_use_lead",
    )
]
until = datetime.now() + timedelta(days=85)
keys = env["res.users.apikeys"]


def key(user):
    return keys.with_user(user)._generate("rpc", "holdfast", until)


def person(login, password=None):
    values = {
        "name": f"Rep {login}",
        "login": login,
        "email": f"{login}@corp.example",
        "tz": "Europe/Berlin",
        "notification_type": "inbox",
        "group_ids": [(6, 0, groups)],
    }
    user = users.with_context(no_reset_password=True).create(values)
    if password:
        user.password = password
    return {
        "login": login,
        "address": user.email,
        "id": user.id,
        "partner": user.partner_id.id,
        "key": key(user),
        "password": password,
    }


admin = env.ref("base.user_admin")
admin.email = "admin@corp.example"
managers = ("project.group_project_manager", "sales_team.group_sale_manager")
admin.group_ids = [(4, env.ref(name).id) for name in managers]
# Where nobody is told of a password, nothing is in the queue of mails that a test must find empty.
people = [person(f"rep{n:02}", f"secret-rep{n:02}" if n < 4 else None) for n in range(PEOPLE)]
env["mail.mail"].sudo().search([]).unlink()
# The scripts and styles of the login page and the web client, put together once for all copies: a first page
# would take half a minute otherwise, and two browsers that ask at the same time put them together twice.
assets = env["ir.qweb"]
for bundle in ("web.assets_frontend_minimal", "web.assets_frontend_lazy", "web.assets_frontend", "web.assets_web", "web.assets_web_print"):
    assets._get_asset_bundle(bundle, css=False, js=True).js()
    assets._get_asset_bundle(bundle, css=True, js=False).css()
known_admin = {"login": "admin", "id": admin.id, "key": key(admin), "password": "admin"}
print(json.dumps({"admin": known_admin, "people": people}))
env.cr.commit()
