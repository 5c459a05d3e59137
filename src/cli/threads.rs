//! How many threads there are.

use super::exit::Error;

#[derive(Debug, thiserror::Error, miette::Diagnostic)]
#[error("failed to start {0} threads: {1}")]
#[diagnostic(help("choose fewer with `--threads N`"))]
struct ThreadError(u16, rayon::ThreadPoolBuildError);

/// Starts as many threads as are asked for. Without the option, they are started when there is work for them, and not before.
pub(super) fn start(threads: Option<u16>) -> Result<(), Error> {
    let Some(threads) = threads else { return Ok(()) };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads.into()).use_current_thread().build_global();
    Ok(pool.map_err(|error| ThreadError(threads, error))?)
}
