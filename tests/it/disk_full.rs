//! The disk fills up in the middle of the work. The daemon says so, loses nothing and doubles nothing, and goes on by
//! itself once there is room.

use crate::harness::disk::Ballast;
use crate::harness::{Site, until};
use crate::kills::{Hand, nothing_twice_nothing_missing};
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn a_turn_on_a_full_disk_is_told_loses_nothing_and_goes_on_once_there_is_room() {
    let mut site = Site::bare(1, 12);
    if !site.on_small_disk("240m") {
        return eprintln!("NOT TESTED: a small disk can be mounted by root alone");
    }
    site.sign_in();
    site.add_everybody();
    let mut hand = Hand::new(&site);
    site.start_daemon();
    site.in_step();
    let ballast = Ballast::but(&site.file("data"), 0);
    // Tables have some room left in their pages; it is used up by and by.
    until("the full disk is told", Duration::from_secs(120), async || {
        hand.work(&site).await;
        site.log("log").contains("database.disk_full").then_some(())
    })
    .await;
    // What could not be recorded was written outside all the same, and must be found again.
    hand.work(&site).await;
    drop(ballast);
    nothing_twice_nothing_missing(&site, &hand);
}
