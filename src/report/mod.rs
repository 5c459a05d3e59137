//! Reports: one file a format, each a pure function of what was found. A further format of `imglint check` is a file, and a line of
//! `formats!`: from that the command line has its name, its help and who renders it.

mod view;
mod location;
pub mod diff;
pub mod summary;
pub mod human;
pub mod json;
pub mod github;
pub mod gitlab;
pub mod junit;
pub mod rdjson;
pub mod sarif;
pub mod status;
pub mod replay;
pub mod graph;
pub mod replay_page;

use human::Style;

pub use view::{Repaired, Report, Tree};

macro_rules! formats {
    (
        render($report:ident, $style:ident, $is_quiet:ident);
        $($(#[doc = $about:literal])* $format:ident($name:literal, for $reader:ident) => $rendered:expr,)*
    ) => {
        /// The form of a report.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Format {
            $($(#[doc = $about])* $format,)*
        }

        impl Format {
            /// All of them, in the order in which help lists them.
            pub const ALL: &[Self] = &[$(Self::$format,)*];

            /// Its name on the command line.
            pub fn name(self) -> &'static str {
                match self { $(Self::$format => $name,)* }
            }

            /// What it is for, as help says it.
            pub fn about(self) -> &'static str {
                match self { $(Self::$format => concat!($($about),*).trim_ascii(),)* }
            }

            /// Who reads it.
            pub fn reader(self) -> Reader {
                match self { $(Self::$format => Reader::$reader,)* }
            }

            /// Renders a report. How much its reader can show, and whether the closing line is left out, matters to people alone.
            pub fn render(self, $report: &Report<'_>, $style: Style, $is_quiet: bool) -> String {
                match self { $(Self::$format => $rendered,)* }
            }
        }
    };
}

/// Who reads a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    /// Somebody who reads standard error, too: what a report cannot hold is said there.
    Person,
    /// A program, to which nothing exists that the report does not hold.
    Program,
}

formats! {
    render(report, style, is_quiet);
    /// For people
    Human("human", for Person) => human::render(report, style, is_quiet),
    /// One line a finding, for people and editors
    Concise("concise", for Person) => human::concise(report, is_quiet),
    /// One JSON object
    Json("json", for Program) => json::render(report),
    /// Annotations of GitHub Actions, and the step's summary
    Github("github", for Program) => github::render(report, is_quiet),
    /// GitLab's code quality report
    Gitlab("gitlab", for Program) => gitlab::render(report),
    /// SARIF 2.1.0, for code scanning
    Sarif("sarif", for Program) => sarif::render(report),
    /// Test cases in XML, as Prow and Jenkins show them: every rule is one for every image
    Junit("junit", for Program) => junit::render(report),
    /// What reviewdog reads
    Rdjson("rdjson", for Program) => rdjson::render(report),
    // Of bytes that need be no text, and of repairs that nobody need have asked for, the command line has it from `diff`.
    /// The repairs, as `git apply` takes them; printed, what `--diff` prints
    Patch("patch", for Program) => String::new(),
}
