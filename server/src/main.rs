//! The binary `praxis`.

use std::process::ExitCode;

#[tokio::main(worker_threads = 2)]
async fn main() -> ExitCode {
    praxis_server::app::cli::run().await
}
