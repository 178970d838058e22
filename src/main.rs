//! The `holdfast` binary: parse, run, exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    holdfast::cli::main()
}
