//! Where the documentation of this build is published.

/// The address, without a slash at its end; `None` for a build that was told of none. Releases are built with `IMGLINT_SITE` set, as
/// only those who publish them know it.
pub const SITE: Option<&str> = option_env!("IMGLINT_SITE");

/// The address of something there.
pub fn address(path: &str) -> Option<String> {
    SITE.map(|site| format!("{site}/{path}"))
}
