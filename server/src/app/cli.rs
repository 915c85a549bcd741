//! The command line: every setting is a flag too.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use praxis_migration::{Migrator, MigratorTrait as _};

use super::config::{Config, SETTINGS};
use super::startup::{look_first, open_hub, start};
use crate::features::{archive, demo, imports};
use crate::ports::clock::Clock;
use crate::store::{Change, change_schema, refuse_newer};

#[derive(Debug, Parser)]
#[command(name = "praxis", version, about = "A real-time hub for communities of practice")]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    /// A setting over environment and praxis.toml: --set bind=127.0.0.1:9000 (see `praxis config`).
    #[arg(long = "set", global = true, value_name = "NAME=VALUE")]
    settings: Vec<String>,
    #[command(flatten)]
    flags: Flags,
}

/// The settings most often given by hand.
#[derive(Debug, Args)]
struct Flags {
    /// Address to listen on; port 0 picks one.
    #[arg(long, global = true, value_name = "ADDR")]
    bind: Option<String>,
    /// Database, index, uploads and secrets.
    #[arg(long, global = true, value_name = "DIR")]
    data_dir: Option<String>,
    /// postgres://… or sqlite://PATH
    #[arg(long, global = true, value_name = "URL")]
    database_url: Option<String>,
    /// Public origin.
    #[arg(long, global = true, value_name = "URL")]
    base_url: Option<String>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve (the default).
    Serve,
    /// The schema alone.
    Migrate {
        #[arg(value_enum, default_value = "up")]
        way: Way,
    },
    /// Administrators and their ways back in.
    Admin {
        #[command(subcommand)]
        act: AdminAct,
    },
    /// Prints the effective configuration, secrets masked.
    Config,
    /// Loads somebody else's export; running it twice adds nothing twice.
    Import(imports::Asked),
    /// Builds the search index again from the database; the servers that run do it.
    Reindex,
    /// Fills a hub that has no members with invented sample content.
    Demo,
    /// Writes the embedded hub, database and files, into one file while it runs.
    Backup { file: PathBuf },
    /// Puts a backup in place; no hub may run on the data directory.
    Restore {
        file: PathBuf,
        /// Over the hub that is there.
        #[arg(long)]
        replace: bool,
    },
    /// Writes any hub into one archive, which `import praxis` loads into an empty one.
    Export { file: PathBuf },
    /// Takes the text out of the file on standard input; the hub starts it by itself.
    #[command(hide = true)]
    Extract { kind: String },
}

#[derive(Debug, Subcommand)]
enum AdminAct {
    /// Makes an administrator; the password is one line of standard input.
    Create {
        #[arg(long)]
        handle: String,
        #[arg(long)]
        email: String,
        /// Says that the password comes on standard input; there is no other way.
        #[arg(long, required = true)]
        password_stdin: bool,
    },
    /// Prints a link by which a member chooses a new password; it works once, for an hour.
    ResetLink { handle: String },
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Way {
    Up,
    Down,
    Status,
}

/// Runs the program; the result is its exit code.
pub async fn run() -> ExitCode {
    let cli = Cli::parse();
    // Before anything of the hub is read: the file is somebody's, and may be hostile.
    if let Some(Command::Extract { kind }) = &cli.command {
        return crate::features::library::extract(kind);
    }
    let config = match flags(&cli).and_then(|flags| Config::load(&flags)) {
        Ok(config) => config,
        Err(line) => return refuse(&line),
    };
    if let Some(Command::Config) = cli.command {
        print_config(&config);
        return ExitCode::SUCCESS;
    }
    init_log(&config);
    let done = match cli.command {
        None | Some(Command::Serve) => return serve(config).await,
        Some(Command::Migrate { way }) => migrate(&config, way).await,
        Some(Command::Import(asked)) if asked.format == imports::Format::Praxis => {
            tell(archive::load(&config, &asked.path).await)
        }
        Some(Command::Import(asked)) => import(config, asked).await,
        Some(Command::Backup { file }) => tell(archive::backup(&config, &file).await),
        Some(Command::Restore { file, replace }) => tell(archive::restore(&config, &file, replace).await),
        Some(Command::Export { file }) => tell(archive::export(&config, &file).await),
        Some(Command::Demo) => fill_demo(config).await,
        Some(Command::Reindex) => reindex(config).await,
        Some(Command::Admin { act }) => admin(config, act).await,
        Some(Command::Config | Command::Extract { .. }) => Ok(()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(line) => refuse(&line),
    }
}

#[expect(clippy::print_stdout, reason = "the command prints")]
fn tell(done: Result<String, String>) -> Result<(), String> {
    println!("{}", done?);
    Ok(())
}

#[expect(clippy::print_stderr, reason = "a command-line program says why it stops")]
fn refuse(line: &str) -> ExitCode {
    eprintln!("praxis: {line}");
    ExitCode::from(2)
}

fn flags(cli: &Cli) -> Result<BTreeMap<String, String>, String> {
    let mut flags = BTreeMap::new();
    for setting in &cli.settings {
        let (name, value) =
            setting.split_once('=').ok_or_else(|| format!("--set {setting}: write it as NAME=VALUE"))?;
        if !SETTINGS.contains(&name) {
            return Err(format!("--set {name}: no such setting; `praxis config` lists them"));
        }
        flags.insert(name.to_owned(), value.to_owned());
    }
    let by_name = [
        ("bind", &cli.flags.bind),
        ("data_dir", &cli.flags.data_dir),
        ("database_url", &cli.flags.database_url),
        ("base_url", &cli.flags.base_url),
    ];
    for (name, value) in by_name {
        if let Some(value) = value {
            flags.insert(name.to_owned(), value.clone());
        }
    }
    Ok(flags)
}

fn init_log(config: &Config) {
    // Schema steps are told one by one at `info`; who wants to see them can say so.
    let filter = tracing_subscriber::EnvFilter::new(format!("sea_orm_migration=warn,{}", config.log));
    let colours = std::io::IsTerminal::is_terminal(&std::io::stderr());
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(colours).with_writer(std::io::stderr);
    if config.log_json {
        builder.json().init();
    } else {
        builder.init();
    }
}

#[expect(clippy::print_stdout, reason = "the command prints")]
fn print_config(config: &Config) {
    for name in SETTINGS {
        let value = config.shown.get(name).cloned().unwrap_or_else(|| config.default_of(name));
        println!("PRAXIS_{}={value}", name.to_uppercase());
    }
}

#[expect(clippy::print_stdout, reason = "the ready line is part of the contract")]
async fn serve(config: Config) -> ExitCode {
    if !config.rate_limit {
        tracing::warn!("PRAXIS_RATE_LIMIT is off: only for load tests");
    }
    // Before the ready line: whoever reads it may stop the hub at once.
    let mut signals = match Signals::listen() {
        Ok(signals) => signals,
        Err(error) => return refuse(&format!("signals cannot be heard ({error})")),
    };
    let started = tokio::select! {
        started = Box::pin(start(config, Clock::default())) => started,
        () = signals.next() => return ExitCode::SUCCESS,
    };
    let running = match started {
        Ok(running) => running,
        Err(line) => return refuse(&line),
    };
    match crate::features::accounts::setup_link(&running.state).await {
        Ok(Some(link)) => println!("setup link: {link}"),
        Ok(None) => {}
        Err(error) => tracing::error!(%error, "no setup link could be made"),
    }
    println!("praxis listening on http://{}", running.address);
    signals.next().await;
    tracing::info!("stopping");
    // A proxy sees first that this node is not ready. Who asks twice does not want to wait for it.
    tokio::select! {
        () = tokio::time::sleep(running.state.leaving.begin()) => {}
        () = signals.next() => {}
    }
    running.stop().await;
    ExitCode::SUCCESS
}

/// What asks the program to stop, heard from when this is made.
struct Signals {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
}

impl Signals {
    #[cfg(unix)]
    fn listen() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    #[cfg(unix)]
    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }

    #[cfg(not(unix))]
    fn listen() -> std::io::Result<Self> {
        Ok(Self {})
    }

    #[cfg(not(unix))]
    async fn next(&mut self) {
        let _interrupted = tokio::signal::ctrl_c().await;
    }
}

#[expect(clippy::print_stdout, reason = "the command prints")]
async fn migrate(config: &Config, way: Way) -> Result<(), String> {
    look_first(config).await?;
    super::private::make_dir(&config.data_dir)
        .map_err(|error| format!("PRAXIS_DATA_DIR: {} cannot be used ({error})", config.data_dir.display()))?;
    let _open = super::serving::share(config)?;
    let connections =
        crate::store::connect(&config.database()).await.map_err(|error| format!("PRAXIS_DATABASE_URL: {error}"))?;
    let fault = |error: sea_orm::DbErr| format!("PRAXIS_DATABASE_URL: the schema could not be read ({error})");
    let url = config.database();
    let change = async |change: Change| {
        change_schema(&url, &connections, change).await.map_err(|error| format!("PRAXIS_DATABASE_URL: {error}"))
    };
    match way {
        Way::Up => change(Change::Up).await?,
        Way::Down => change(Change::Down).await?,
        Way::Status => {
            refuse_newer(&connections.writer).await.map_err(|error| format!("PRAXIS_DATABASE_URL: {error}"))?;
            for migration in Migrator::get_migration_with_status(&connections.writer).await.map_err(fault)? {
                println!("{} {}", migration.name(), migration.status());
            }
        }
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the command prints")]
async fn import(config: Config, asked: imports::Asked) -> Result<(), String> {
    if !imports::is_built(asked.format) {
        return Err(imports::not_built(asked.format));
    }
    let opened = beside(config).await?;
    let done = imports::run(&opened.state, &asked).await;
    opened.close().await;
    println!("{}", done?);
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the command prints")]
async fn fill_demo(config: Config) -> Result<(), String> {
    let opened = beside(config).await?;
    let done = demo::fill(&opened.state).await;
    opened.close().await;
    println!("{}", done?);
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the command prints")]
async fn reindex(config: Config) -> Result<(), String> {
    let opened = beside(config).await?;
    let done = crate::search::requests::reindex(&opened.state).await;
    opened.close().await;
    println!("{}", done.map_err(|error| one_line(&error))?);
    Ok(())
}

/// A fault of an action as one line.
fn one_line(error: &crate::web::error::AppError) -> String {
    match error {
        crate::web::error::AppError::Invalid(faults) => {
            let said: Vec<String> = faults.iter().map(|fault| format!("{} {}", fault.field, fault.message)).collect();
            said.join("; ")
        }
        other => other.to_string(),
    }
}

#[expect(clippy::print_stdout, reason = "the command prints")]
async fn admin(config: Config, act: AdminAct) -> Result<(), String> {
    use crate::features::accounts;
    let bind = config.bind.clone();
    let opened = beside(config).await?;
    let state = &opened.state;
    let _configured_wins = state.origin.set(format!("http://{bind}").into());
    let done = match act {
        AdminAct::Create { handle, email, .. } => {
            let mut password = String::new();
            std::io::stdin()
                .read_line(&mut password)
                .map_err(|error| format!("the password cannot be read ({error})"))?;
            let password = password.trim_end_matches(['\n', '\r']);
            accounts::create_administrator(state, &handle, &email, password)
                .await
                .map(|()| format!("@{} is an administrator", handle.to_ascii_lowercase()))
                .map_err(|error| one_line(&error))
        }
        AdminAct::ResetLink { handle } => match accounts::reset_link(state, &handle).await {
            Ok(Some(link)) => Ok(link),
            Ok(None) => Err(format!("there is no member @{handle}")),
            Err(error) => Err(one_line(&error)),
        },
    };
    opened.close().await;
    println!("{}", done?);
    Ok(())
}

/// Opens the hub beside a running one, for commands that write rows and events.
pub async fn beside(config: Config) -> Result<super::startup::Opened, String> {
    open_hub(config, Clock::default()).await
}
