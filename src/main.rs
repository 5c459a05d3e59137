//! imglint checks a change to container images against the repository's policies.

use std::process::ExitCode;

fn main() -> ExitCode {
    imglint::cli::main()
}
