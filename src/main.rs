//! The `holdfast` binary: parse, run, exit code.

fn main() {}
