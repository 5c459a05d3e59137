//! BASEIMAGE files: which platforms an image is built for, and from what. One `key=value` a line.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;
use serde::de::Error;

use crate::schema_form::one_of;
use crate::suggest::suggest;
use crate::text::{Span, Text};

/// A line of a BASEIMAGE file that holds anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The whole line without its line feed; a carriage return belongs to it.
    pub span: Span,
    /// What stands before the first `=`, trimmed.
    pub key: String,
    /// Where that stands.
    pub key_span: Span,
    /// What stands behind the first `=`, trimmed. `None` where there is no `=`.
    pub value: Option<String>,
    /// Where that stands; the end of the line where there is none.
    pub value_span: Span,
}

/// What an image is built for: `os/arch` or `os/arch/version`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Platform {
    /// The operating system.
    pub os: String,
    /// The architecture, by Go's names.
    pub arch: String,
    /// The version of the operating system, which Windows containers must share with their host.
    pub os_version: Option<String>,
}

/// The operating system of Windows, as docker calls it.
pub const WINDOWS: &str = "windows";

/// The operating systems that docker knows, by Go's names.
const SYSTEMS: [&str; 17] = [
    "aix",
    "android",
    "darwin",
    "dragonfly",
    "freebsd",
    "hurd",
    "illumos",
    "ios",
    "js",
    "linux",
    "nacl",
    "netbsd",
    "openbsd",
    "plan9",
    "solaris",
    "windows",
    "zos",
];

/// The architectures that docker knows, by Go's names and others that it takes for them.
const ARCHITECTURES: [&str; 32] = [
    "386",
    "i386",
    "amd64",
    "x86_64",
    "x86-64",
    "amd64p32",
    "arm",
    "armhf",
    "armel",
    "armbe",
    "arm64",
    "aarch64",
    "arm64be",
    "loong64",
    "mips",
    "mipsle",
    "mips64",
    "mips64le",
    "mips64p32",
    "mips64p32le",
    "ppc",
    "ppc64",
    "ppc64le",
    "riscv",
    "riscv64",
    "s390",
    "s390x",
    "sparc",
    "sparc64",
    "wasm",
    "mips64r6",
    "mips64r6le",
];

/// Whether a part of a platform consists of the characters that docker allows there.
fn is_platform_word(part: &str) -> bool {
    !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'))
}

impl Platform {
    /// Reads `os/arch[/version]`; a bare architecture, as in trees of old, stands for Linux.
    pub fn parse(key: &str) -> Option<Self> {
        let parts: Vec<&str> = key.split('/').collect();
        let (os, arch, os_version) = match parts[..] {
            [arch] => ("linux", arch, None),
            [os, arch] => (os, arch, None),
            [os, arch, version] => (os, arch, Some(version)),
            _ => return None,
        };
        if !is_platform_word(os) || !is_platform_word(arch) || !os_version.is_none_or(is_platform_word) {
            return None;
        }
        Some(Self { os: os.to_owned(), arch: arch.to_owned(), os_version: os_version.map(str::to_owned) })
    }

    /// Reads what docker takes for a platform in `--platform`: the system alone, too, or the architecture alone; the system with its
    /// version in brackets; in any case. The third part is a variant there, which makes no difference here.
    pub fn of_option(option: &str) -> Option<Self> {
        let option = option.to_ascii_lowercase();
        let mut parts = option.split('/');
        let (first, second, third) = (parts.next()?, parts.next(), parts.next());
        if parts.next().is_some() || ![second, third].into_iter().flatten().all(is_platform_word) {
            return None;
        }
        let system = match first.split_once('(') {
            Some((system, version)) if version.ends_with(')') => system,
            Some(_) => return None,
            None => first,
        };
        if !is_platform_word(system) {
            return None;
        }
        let (os, arch) = match second {
            Some(arch) => (system, arch),
            None if SYSTEMS.contains(&system) || system == "macos" => (system, "amd64"),
            None if ARCHITECTURES.contains(&system) => ("linux", system),
            None => return None,
        };
        let os = if os == "macos" { "darwin" } else { os };
        let arch = match arch {
            "x86_64" | "x86-64" => "amd64",
            "aarch64" => "arm64",
            "i386" => "386",
            "armhf" | "armel" => "arm",
            arch => arch,
        };
        Some(Self { os: os.to_owned(), arch: arch.to_owned(), os_version: None })
    }

    /// Whether images for it are Windows images.
    pub fn is_windows(&self) -> bool {
        self.os == WINDOWS
    }

    /// What the build script appends to the tag of an image for this platform: `windows-amd64-1809`.
    pub fn suffix(&self) -> String {
        let mut suffix = format!("{}-{}", self.os, self.arch);
        if let Some(version) = &self.os_version {
            suffix.push('-');
            suffix.push_str(version);
        }
        suffix
    }
}

/// The name of an operating system that docker knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Os(&'static str);

impl Os {
    /// The name, as in `--platform`.
    pub fn name(&self) -> &'static str {
        self.0
    }

    /// The name, as people write it.
    pub fn title(&self) -> String {
        let (first, rest) = self.0.split_at(1);
        first.to_ascii_uppercase() + rest
    }
}

impl<'de> Deserialize<'de> for Os {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        one_of_names(deserializer, "operating system", &SYSTEMS).map(Self)
    }
}

impl JsonSchema for Os {
    fn schema_name() -> Cow<'static, str> {
        "Os".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        one_of(&SYSTEMS)
    }
}

/// The name of an architecture that docker knows, which is Go's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Architecture(&'static str);

impl Architecture {
    /// The name, as in `--platform`.
    pub fn name(&self) -> &'static str {
        self.0
    }
}

impl<'de> Deserialize<'de> for Architecture {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        one_of_names(deserializer, "architecture", &ARCHITECTURES).map(Self)
    }
}

impl JsonSchema for Architecture {
    fn schema_name() -> Cow<'static, str> {
        "Architecture".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        one_of(&ARCHITECTURES)
    }
}

fn one_of_names<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
    what: &str,
    names: &[&'static str],
) -> Result<&'static str, D::Error> {
    let name = String::deserialize(deserializer)?;
    let found = names.iter().find(|known| **known == name);
    found.copied().ok_or_else(|| {
        D::Error::custom(format!("there is no {what} `{name}`: {}", suggest(&name, names.iter().copied())))
    })
}

impl std::fmt::Display for Platform {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.os, self.arch)?;
        self.os_version.as_ref().map_or(Ok(()), |version| write!(f, "/{version}"))
    }
}

/// Reads the lines of a BASEIMAGE file. Empty ones are left out: the build script does not see them.
pub fn parse(text: &Text) -> Vec<Line> {
    let mut lines = Vec::new();
    for (span, line) in text.lines().filter(|(_, line)| !line.trim().is_empty()) {
        let (key, rest) = line.split_once('=').map_or((line, None), |(key, rest)| (key, Some(rest)));
        let (value, value_span) = match rest {
            Some(rest) => {
                let (value, value_span) = trimmed(rest, span.start + key.len() + 1);
                (Some(value), value_span)
            }
            None => (None, span.end..span.end),
        };
        let (key, key_span) = trimmed(key, span.start);
        lines.push(Line { span, key, key_span, value, value_span });
    }
    // Thousands of files have one line, and room for three more takes three times as much.
    lines.shrink_to_fit();
    lines
}

/// A part of a line without the blanks around it, and where that stands.
fn trimmed(part: &str, offset: usize) -> (String, Span) {
    let value = part.trim();
    let start = offset + (part.len() - part.trim_start().len());
    (value.to_owned(), start..start + value.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_cut_at_the_first_equals_sign() {
        let text = Text::from("linux/amd64=alpine:3.6\n\n windows/amd64/1809 = a=b \r\namd64\n");
        let lines = parse(&text);
        let seen: Vec<_> = lines.iter().map(|line| (line.key.as_str(), line.value.as_deref())).collect();
        assert_eq!(seen, [("linux/amd64", Some("alpine:3.6")), ("windows/amd64/1809", Some("a=b")), ("amd64", None)]);
        assert_eq!(text.slice(&lines[1].key_span), "windows/amd64/1809");
        assert_eq!(text.slice(&lines[1].value_span), "a=b");
    }

    #[test]
    fn platforms_have_two_or_three_parts() {
        assert_eq!(
            Platform::parse("windows/amd64/20H2").map(|platform| platform.suffix()),
            Some("windows-amd64-20H2".into())
        );
        assert_eq!(Platform::parse("amd64").map(|platform| platform.to_string()), Some("linux/amd64".into()));
        assert_eq!(Platform::parse("a/b/c/d"), None);
        assert_eq!(Platform::parse("linux/"), None);
    }
}
