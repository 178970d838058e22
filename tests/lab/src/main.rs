//! `holdfast-lab up`: serves a lab until it is told to stop, and says in one JSON line where it is.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};
use holdfast_lab::salesforce::app;
use holdfast_lab::{ExtendedProtection, Lab, Options, PEOPLES_LOGIN, Ports};
use serde_json::json;

#[derive(Parser)]
#[command(
    name = "holdfast-lab",
    about = "One Exchange and one Salesforce over real sockets"
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serves until SIGTERM or SIGINT; prints one JSON line when ready
    Up(Up),
    /// Sends a tape once more to a fresh lab, and prints how long that took as one JSON line
    Replay(Replay),
}

#[derive(clap::Args)]
struct Replay {
    /// What `up --tape` kept
    tape: PathBuf,
    /// A file with the line that the fresh lab printed; it must have the tape's people and seed
    lab: PathBuf,
}

#[derive(clap::Args)]
struct Up {
    /// How many people have a mailbox
    #[arg(long, default_value_t = 20)]
    people: usize,
    /// The seed of everything invented
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Mailbox items per person, about
    #[arg(long, default_value_t = 200)]
    items_per_person: usize,
    /// Opens plain-HTTP listeners too
    #[arg(long)]
    http: bool,
    /// Port of Exchange over TLS; 0 lets the kernel choose, here and below
    #[arg(long, default_value_t = 0)]
    port_exchange: u16,
    /// Port of Exchange in plain
    #[arg(long, default_value_t = 0)]
    port_exchange_http: u16,
    /// Port of Salesforce over TLS
    #[arg(long, default_value_t = 0)]
    port_salesforce: u16,
    /// Port of Salesforce in plain
    #[arg(long, default_value_t = 0)]
    port_salesforce_http: u16,
    /// Port of the control surface
    #[arg(long, default_value_t = 0)]
    port_control: u16,
    /// The world survives a kill by this file
    #[arg(long)]
    state: Option<PathBuf>,
    /// Where the certificate to trust is written
    #[arg(long)]
    ca_file: Option<PathBuf>,
    /// What Exchange demands of channel bindings
    #[arg(long, value_enum, default_value = "off")]
    extended_protection: Protection,
    /// A folder that gets every Exchange request and answer
    #[arg(long)]
    record: Option<PathBuf>,
    /// Keeps every request of both sides in a file, for `replay`
    #[arg(long)]
    tape: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum, serde::Serialize)]
#[serde(rename_all = "snake_case")]
enum Protection {
    Off,
    Allow,
    Require,
}

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
        .with_writer(std::io::stderr)
        .init();
    let done = match Arguments::parse().command {
        Command::Up(up) => serve(up).await,
        Command::Replay(what) => replay(&what).await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("holdfast-lab: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn replay(what: &Replay) -> Result<(), Box<dyn std::error::Error>> {
    let came = holdfast_lab::replay::replay(&what.tape, &what.lab)
        .await
        .map_err(|error| error.to_string())?;
    writeln!(std::io::stdout(), "{came}")?;
    Ok(())
}

async fn serve(up: Up) -> Result<(), Box<dyn std::error::Error>> {
    let record = up.record.clone();
    let lab = holdfast_lab::start(Options {
        people: up.people,
        seed: up.seed,
        items_per_person: up.items_per_person,
        http: up.http,
        ports: Ports {
            exchange: up.port_exchange,
            exchange_http: up.port_exchange_http,
            salesforce: up.port_salesforce,
            salesforce_http: up.port_salesforce_http,
            control: up.port_control,
        },
        state: up.state,
        extended_protection: match up.extended_protection {
            Protection::Off => ExtendedProtection::Off,
            Protection::Allow => ExtendedProtection::Allow,
            Protection::Require => ExtendedProtection::Require,
        },
        record: up.record,
        tape: up.tape,
    })
    .await?;
    let ca_file = up
        .ca_file
        .unwrap_or_else(|| std::env::temp_dir().join(format!("holdfast-lab-{}-ca.pem", std::process::id())));
    std::fs::write(&ca_file, &lab.ca_pem)?;
    let mut out = std::io::stdout().lock();
    let ca_file = ca_file.display().to_string();
    let mut description = description(&lab, &ca_file);
    description["exchange"]["extended_protection"] = json!(up.extended_protection);
    description["exchange"]["record"] = json!(record);
    writeln!(out, "{description}")?;
    out.flush()?;
    drop(out);
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::select! {
        _ = terminate.recv() => {}
        result = tokio::signal::ctrl_c() => result?,
    }
    Ok(())
}

/// The one line a caller reads.
fn description(lab: &Lab, ca_file: &str) -> serde_json::Value {
    let people: Vec<_> = lab
        .cast
        .people
        .iter()
        .map(|person| {
            json!({
                "display": person.display, "smtp": person.smtp, "upn": person.upn, "sid": person.sid,
                "login": person.login, "password": person.password, "zone": person.zone.name(),
                "sf_username": person.sf_username, "sf_user_id": person.sf_user_id,
            })
        })
        .collect();
    json!({
        "exchange": {
            "url": lab.exchange_url, "http_url": lab.exchange_http_url,
            "ca_file": ca_file, "ca_pem": lab.ca_pem,
            "peoples_login": PEOPLES_LOGIN, "service_login": lab.service_account.0, "service_password": lab.service_account.1,
            "outside_scope": lab.outside_scope,
        },
        "salesforce": {
            "login_url": lab.salesforce_url, "http_url": lab.salesforce_http_url,
            "ca_file": ca_file, "ca_pem": lab.ca_pem,
            "peoples_client_id": app::PEOPLES_CLIENT_ID, "client_id": app::CLIENT_ID, "client_secret": app::CLIENT_SECRET,
            "jwt_private_key_pem": app::JWT_PRIVATE_KEY_PEM,
            "integration_user": {"username": app::INTEGRATION_USERNAME, "id": app::integration_user_id()},
        },
        "control_url": lab.control_url,
        "people": people,
    })
}
