//! What an administrator has yet to set up in Odoo is said when a mailbox is probed, and nothing that its policy does not
//! need is asked for.

use crate::odoo_server::Odoo;
use crate::odoo_sync::between;
use holdfast::sync::policy::{Policy, TaskForm};
use serde_json::{Value, json};
use std::fs;

#[tokio::test(flavor = "multi_thread")]
async fn a_probe_misses_the_key_field_of_activities_where_the_policys_tasks_are_activities() {
    let odoo = Odoo::apart();
    let site = between(&odoo, &[odoo.rep()], "");
    let domain = json!([["model", "=", "mail.activity"], ["name", "=", "x_holdfast_key"]]);
    let field = odoo
        .admin("ir.model.fields", "search", json!({ "domain": domain }))
        .await;
    odoo.admin("ir.model.fields", "unlink", json!({ "ids": field }))
        .await;
    let address = site.people()[0]["smtp"].as_str().unwrap().to_owned();
    let probe = || site.run(&["--json", "mailbox", "probe", &address]);
    assert_eq!(probe().status.code(), Some(0));

    let mut policy = Policy::default();
    policy.tasks.form = TaskForm::Activity;
    let file = site.file("policy.json");
    fs::write(&file, serde_json::to_string(&policy).unwrap()).unwrap();
    site.succeed(&["policy", "set", "default", file.to_str().unwrap()]);
    let missing = probe();
    assert_eq!(missing.status.code(), Some(1));
    let said: Value = serde_json::from_slice(&missing.stdout).unwrap();
    assert_eq!(said["crm"]["code"], "crm.setup_missing");
    let says = said["crm"]["says"].as_str().unwrap();
    assert!(says.contains("mail.activity.x_holdfast_key"), "{says}");
    odoo.drop_database();
}
