//! The one integration binary: a file per behaviour, all against real servers over real sockets.

// A test may fail by panicking, reads the machine's clock for its deadlines, and keeps its servers in the
// temp folder.
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used
)]

mod harness;

mod access;
mod answers;
mod attachments;
mod bad_input;
mod canary;
mod cli;
mod complaints;
mod completeness;
mod console;
mod content;
mod corpus;
mod crm_contract;
mod crm_watch;
mod daemon;
mod database;
mod directory;
mod disk_full;
mod edges;
mod egress;
mod exchange_connector;
mod exchange_quirks;
mod exchange_sign_in;
mod failed;
mod flows;
mod folder_rounds;
mod folder_scope;
mod folders;
mod go_live;
mod guard;
mod guests;
mod handover;
mod history;
mod invitations;
mod invitations_foretold;
mod isolation;
mod keyring;
mod kills;
mod lanes;
mod lists;
mod mail_matching;
mod mail_rules;
mod mailbox_contract;
mod masked_files;
mod merged;
mod nodes;
mod notifications;
mod odoo_activities;
mod odoo_complaints;
mod odoo_connector;
mod odoo_files;
mod odoo_filing;
mod odoo_forms;
mod odoo_office;
mod odoo_page;
mod odoo_pages;
mod odoo_probe;
mod odoo_records;
mod odoo_series;
mod odoo_server;
mod odoo_simulation;
mod odoo_sync;
mod odoo_task_forms;
mod preview;
mod private_postgresql;
mod quota;
mod recurring_tasks;
mod refreshed;
mod restored;
mod salesforce_connector;
mod salesforce_news;
mod salesforce_org;
mod salesforce_series;
mod salesforce_setup;
mod salesforce_trouble;
mod schema;
mod scope;
mod series;
mod settings;
mod simulation;
mod sync;
mod truth;
mod undo;
mod window;
mod zones;
