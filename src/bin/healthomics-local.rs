//! An embedded HealthOmics as a program, for tests in any language: `healthomics-local --help`.

use std::error::Error;
use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use healthomics::Credentials;
use healthomics::local::{LocalService, LocalServiceBuilder, Pace, Quotas, Seed};

/// Serves an embedded HealthOmics until Ctrl-C or SIGTERM.
///
/// When it listens, it prints the settings that clients need as lines for a shell, and then a line "# ready".
#[derive(Parser)]
#[command(name = "healthomics-local", version)]
struct Arguments {
    /// Port to listen on; 0 is a free one
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Address to listen on; one that is not of loopback needs --allow-non-loopback
    #[arg(long, default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    address: IpAddr,
    /// Allows an address that can be reached from the network; the service has no TLS
    #[arg(long)]
    allow_non_loopback: bool,
    /// Region that requests must be signed for
    #[arg(long, default_value = LocalService::REGION)]
    region: String,
    /// Access key id of the credentials that are accepted
    #[arg(long, default_value = LocalService::ACCESS_KEY_ID)]
    access_key_id: String,
    /// Secret access key of the credentials that are accepted
    #[arg(long, default_value = LocalService::SECRET_ACCESS_KEY)]
    secret_access_key: String,
    /// Session token of the credentials that are accepted
    #[arg(long)]
    session_token: Option<String>,
    /// A job ends when it is read for the n-th time; without it and --pace-ms 3, and after a second at the latest
    #[arg(long, value_name = "N")]
    pace_polls: Option<u32>,
    /// A job ends after this time; with --pace-polls, at the latest
    #[arg(long, value_name = "MILLISECONDS")]
    pace_ms: Option<u64>,
    /// Limit of requests a second of each operation
    #[arg(long, value_name = "N")]
    requests_per_second: Option<u32>,
    /// Limit of jobs of each kind that have not ended
    #[arg(long, value_name = "N")]
    jobs_at_once: Option<u32>,
    /// JSON file with the stores and read sets at the start and after a reset
    #[arg(long, value_name = "FILE")]
    seed: Option<PathBuf>,
    /// Serves requests below /_local/, which need no signature and change the service
    #[arg(long)]
    control: bool,
}

impl Arguments {
    fn builder(&self) -> Result<LocalServiceBuilder, Box<dyn Error>> {
        let credentials = Credentials::new(
            &self.access_key_id,
            &self.secret_access_key,
            self.session_token.clone(),
            None,
            "healthomics-local",
        );
        let pace = Pace::of(self.pace_polls, self.pace_ms.map(Duration::from_millis));
        let mut quotas = Quotas::none();
        quotas.requests_per_second = self.requests_per_second;
        quotas.jobs_at_once = self.jobs_at_once;
        let mut builder = LocalService::builder()
            .address(SocketAddr::new(self.address, self.port))
            .region(&self.region)
            .credentials(credentials)
            .pace(pace.unwrap_or_default())
            .quotas(quotas);
        if self.allow_non_loopback {
            builder = builder.allow_non_loopback();
        } else if !self.address.is_loopback() {
            return Err(format!("--address {} needs --allow-non-loopback", self.address).into());
        }
        if self.control {
            builder = builder.control_path();
        }
        if let Some(path) = &self.seed {
            builder = builder.seed(read_seed(path)?);
        }
        Ok(builder)
    }
}

fn read_seed(path: &Path) -> Result<Seed, Box<dyn Error>> {
    let text = std::fs::read(path).map_err(|error| format!("--seed {}: {error}", path.display()))?;
    let seed = serde_json::from_slice(&text).map_err(|error| format!("--seed {}: {error}", path.display()))?;
    Ok(seed)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) if !error.use_stderr() => error.exit(),
        Err(error) => return fail(&error),
    };
    match run(&arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(error.as_ref()),
    }
}

/// Prints the first line of an error: further lines of a wrong argument only repeat the usage.
fn fail(error: &dyn Error) -> ExitCode {
    let text = error.to_string();
    let line = text.lines().next().unwrap_or_default();
    // If this fails, there is nowhere to write it.
    drop(writeln!(io::stderr(), "healthomics-local: {}", line.trim_start_matches("error: ")));
    ExitCode::FAILURE
}

async fn run(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    // From here on, a signal ends the program cleanly.
    let end = end()?;
    let address = SocketAddr::new(arguments.address, arguments.port);
    let builder = arguments.builder()?;
    let service = builder.start().await.map_err(|error| format!("{address}: {error}"))?;
    print_settings(&service, arguments.control)?;
    end.await?;
    Ok(())
}

/// What a shell evaluates so that clients call the service. A caller that reads the last line knows that it is ready.
fn print_settings(service: &LocalService, has_control_path: bool) -> io::Result<()> {
    let (url, region, credentials) = (service.endpoint_url(), service.region(), service.credentials());
    let mut out = io::stdout().lock();
    for (name, value) in [
        ("AWS_ENDPOINT_URL", url.as_str()),
        ("AWS_ENDPOINT_URL_OMICS", url.as_str()),
        ("AWS_REGION", region),
        ("AWS_DEFAULT_REGION", region),
        ("AWS_ACCESS_KEY_ID", credentials.access_key_id()),
        ("AWS_SECRET_ACCESS_KEY", credentials.secret_access_key()),
        ("AWS_DISABLE_HOST_PREFIX_INJECTION", "true"),
    ] {
        writeln!(out, "export {name}={}", quoted(value))?;
    }
    match credentials.session_token() {
        Some(token) => writeln!(out, "export AWS_SESSION_TOKEN={}", quoted(token))?,
        None => writeln!(out, "unset AWS_SESSION_TOKEN")?,
    }
    // With these, clients would use other credentials, or not read the URL.
    writeln!(out, "unset AWS_PROFILE AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")?;
    if has_control_path {
        writeln!(out, "export HEALTHOMICS_LOCAL_CONTROL={}", quoted(&format!("{url}/_local")))?;
    }
    writeln!(out, "# ready")?;
    out.flush()
}

/// A value as a word of a shell.
fn quoted(value: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.:/+=@%,".contains(c);
    if !value.is_empty() && value.chars().all(is_plain) {
        return value.to_owned();
    }
    format!("'{}'", value.replace('\'', r"'\''"))
}

/// Waits for the signal to end. Signals are received from the call of this function on.
#[cfg(unix)]
fn end() -> io::Result<impl Future<Output = io::Result<()>>> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        Ok(())
    })
}

#[cfg(not(unix))]
fn end() -> io::Result<impl Future<Output = io::Result<()>>> {
    Ok(tokio::signal::ctrl_c())
}
