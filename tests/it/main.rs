//! The one integration binary: a file per behaviour, all against real servers over real sockets.

mod harness;

mod database;
