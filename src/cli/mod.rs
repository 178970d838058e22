//! The command line: one file a command. A command opens what it needs, asks the rooms below, and prints
//! either words for people or one JSON document.
//!
//! Exit codes are promises (docs/cli.md): 0 all well, 1 something is not in step, 2 wrong usage, 3 refused,
//! 4 a counterpart does not answer, 5 the settings or an input are wrong, 70 our own fault.

mod caller;
mod check;
mod code;
mod completeness;
mod estimate;
mod explain;
mod failures;
mod mailbox;
mod matching;
mod migrate;
mod outcome;
mod output;
mod policy;
mod preview;
mod progress;
mod quarantine;
mod secret;
mod serve;
mod status;
mod sync;
mod undo;

use clap::{Parser, Subcommand};
use outcome::{CliError, Done};
use output::Output;
use std::path::PathBuf;
use std::process::ExitCode;

/// Keeps Exchange mailboxes and a CRM in step, on premises.
#[derive(Debug, Parser)]
#[command(name = "holdfast", version, arg_required_else_help = true)]
struct Cli {
    /// The settings file; HOLDFAST_CONFIG names it otherwise, else /etc/holdfast/holdfast.toml.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print one JSON document instead of words.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run: synchronise mailboxes and serve the page, until told to stop.
    Serve,
    /// Make or update the database, and the key file where there is none.
    Migrate,
    /// Try everything that is configured, and say what to do where something fails.
    Check(check::Args),
    /// Store a password or key, sealed.
    #[command(subcommand)]
    Secret(secret::Command),
    /// Mailboxes: add, list, probe, pause, resume.
    #[command(subcommand)]
    Mailbox(mailbox::Command),
    /// Policies: show, set.
    #[command(subcommand)]
    Policy(policy::Command),
    /// Synchronise mailboxes now, with progress.
    Sync(sync::Args),
    /// What the next turn would do, without doing it.
    Preview(preview::Args),
    /// Why one item is, or is not, on the other side.
    Explain(explain::Args),
    /// How many calls the CRM will be asked for, before it is.
    Estimate(estimate::Args),
    /// How every stream stands.
    Status,
    /// What could not be synchronised, and the next step.
    Failures(failures::Args),
    /// What waits for a choice when a mailbox goes live: list, accept, new, never.
    #[command(subcommand)]
    Matching(matching::Command),
    /// Deletions that wait for a person: list, approve, refuse.
    #[command(subcommand)]
    Quarantine(quarantine::Command),
    /// Take back what Holdfast made since a time: shown first, done with --apply.
    Undo(undo::Args),
    /// Does it add up: in scope = written + left alone + failed, on both sides?
    Completeness(completeness::Args),
    /// A one-time code to sign in to the page.
    Code,
}

/// Parses the process's arguments, runs the command, prints, and returns the exit code.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let output = Output { json: cli.json };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return output.failed(&CliError::Runtime(error)),
    };
    match runtime.block_on(run(cli, &output)) {
        Ok(done) => done.code(),
        Err(error) => output.failed(&error),
    }
}

async fn run(cli: Cli, output: &Output) -> Result<Done, CliError> {
    let settings = crate::app::settings(cli.config)?;
    match cli.command {
        Command::Serve => serve::run(settings, output).await,
        Command::Migrate => migrate::run(&settings, output).await,
        Command::Check(args) => check::run(settings, args, output).await,
        Command::Secret(command) => secret::run(settings, command, output).await,
        Command::Mailbox(command) => mailbox::run(settings, command, output).await,
        Command::Policy(command) => policy::run(settings, command, output).await,
        Command::Sync(args) => sync::run(settings, args, output).await,
        Command::Preview(args) => preview::run(settings, args, output).await,
        Command::Explain(args) => explain::run(settings, args, output).await,
        Command::Estimate(args) => estimate::run(settings, args, output).await,
        Command::Status => status::run(settings, output).await,
        Command::Failures(args) => failures::run(settings, args, output).await,
        Command::Matching(command) => matching::run(settings, command, output).await,
        Command::Quarantine(command) => quarantine::run(settings, command, output).await,
        Command::Undo(args) => undo::run(settings, args, output).await,
        Command::Completeness(args) => completeness::run(settings, args, output).await,
        Command::Code => code::run(settings, output).await,
    }
}
