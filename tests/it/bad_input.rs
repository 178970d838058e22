//! Bad input and bad days: each gets a clear sentence with the next step, nothing is lost, the rest goes on.
