//! The lab's Salesforce over real sockets: one test, one promise of the vendor's guides.

mod activities;
mod collections;
mod composite;
mod durability;
mod emails;
mod faults;
mod org;
mod queries;
mod records;
mod refresh;
mod sharing;
mod sign_in;
