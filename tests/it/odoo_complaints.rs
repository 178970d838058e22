//! The complaints of users (`complaints`) beside a real Odoo: those that concern a CRM, by the same scenes.
//!
//! What Odoo cannot hold it says (its capabilities), and the scenes expect no more of it than that.

use crate::complaints::complaints_beside;
use crate::harness::began;
use crate::odoo_server::Odoo;
use chrono::TimeDelta;
use serde_json::json;

complaints_beside!(crate::odoo_pages::RealOdoo);

/// Or else no test would notice a mail.
#[tokio::test]
async fn what_odoo_sends_of_itself_stands_where_the_tests_look_for_it() {
    let odoo = Odoo::up();
    let (rep, guest) = (odoo.rep(), odoo.colleague());
    let at = |hours: i64| (began() + TimeDelta::hours(hours)).format("%Y-%m-%d %H:%M:%S");
    let meeting = json!({
        "name": "Loud", "start": at(48).to_string(), "stop": at(49).to_string(),
        "partner_ids": [[6, 0, [rep.partner, guest.partner]]],
    });
    assert_eq!(odoo.told(&[&rep]).await, 0);
    let create = json!({ "vals_list": [meeting] });
    odoo.call(&rep.key, "calendar.event", "create", create).await;
    assert!(odoo.told(&[&rep]).await > 0, "an invitation of its own user");
}
