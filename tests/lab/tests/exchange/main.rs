//! The lab's Exchange over real sockets: one test, one promise of Microsoft's documents.

mod attachments;
mod calendar;
mod durability;
mod faults;
mod finding;
mod impersonation;
mod items;
mod notifications;
mod office;
mod synchronisation;
mod tasks;
mod wire;
