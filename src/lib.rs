//! Holdfast keeps Exchange mailboxes and a CRM in step, inside the customer's network.
//!
//! The rooms, in reading order. Imports point down this list reversed: [`foundation`] knows nobody, [`cli`]
//! may know everybody.
//!
//! * [`record`] the neutral language: what a meeting, a contact, a task, a mail *is*
//! * [`mailbox`] the port to mail servers, and Exchange behind it
//! * [`crm`] the port to CRMs, and Salesforce behind it
//! * [`sync`] the engine: pull, plan, apply, commit
//! * [`attachments`] files on their way, in bounded pieces
//! * [`access`] who may do what, as types
//! * [`identity`] who somebody is: one-time codes, sessions
//! * [`appliance`] the private PostgreSQL
//! * [`foundation`] settings, database, keyring, the egress gate, time, telemetry
//! * [`web`] the page, health, metrics
//! * [`service`] the running process
//! * [`cli`] the commands
//! * [`app`] the composition root, which puts the parts together

pub mod access;
pub mod app;
pub mod appliance;
pub mod attachments;
pub mod cli;
pub mod crm;
pub mod foundation;
pub mod identity;
pub mod mailbox;
pub mod record;
pub mod service;
pub mod sync;
pub mod web;
