//! A sign of life on a terminal, for runs that take longer than a person waits without one.

use std::io::IsTerminal as _;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use indicatif::ProgressBar;

use super::args::Output;
use crate::environment::Environment;

/// Shorter runs show nothing.
const PATIENCE: Duration = Duration::from_millis(500);
const TURN: Duration = Duration::from_millis(100);

/// Turns on standard error from half a second after its start until it is dropped, and leaves no trace.
pub(super) struct Spinner(Option<(Sender<()>, JoinHandle<()>)>);

impl Spinner {
    /// Starts one where a person looks at standard error and did not ask for quiet. A thread waits for the moment: where there is
    /// no terminal, there is none.
    pub(super) fn start(output: &Output, environment: &Environment) -> Self {
        if !is_watched(output, environment) {
            return Self(None);
        }
        let (stop, stopped) = channel::<()>();
        // Where no thread can be had, nobody misses a spinner.
        let thread = Builder::new().name("spinner".to_owned()).spawn(move || turn(&stopped)).ok();
        Self(thread.map(|thread| (stop, thread)))
    }
}

/// Whether a person looks at standard error, and did not ask for quiet.
pub(super) fn is_watched(output: &Output, environment: &Environment) -> bool {
    !output.quiet && environment.get("TERM") != Some("dumb") && std::io::stderr().is_terminal()
}

/// Turns until it is stopped.
fn turn(stopped: &Receiver<()>) {
    if !is_running(stopped, PATIENCE) {
        return;
    }
    let bar = ProgressBar::new_spinner().with_message("judging");
    while is_running(stopped, TURN) {
        bar.tick();
    }
    bar.finish_and_clear();
}

/// Waits for some time, or until it is stopped.
fn is_running(stopped: &Receiver<()>, time: Duration) -> bool {
    stopped.recv_timeout(time) == Err(RecvTimeoutError::Timeout)
}

impl Drop for Spinner {
    fn drop(&mut self) {
        if let Some((stop, thread)) = self.0.take() {
            drop(stop);
            // What is printed next must not meet it.
            let _ = thread.join();
        }
    }
}
