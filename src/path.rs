//! Paths in a repository: text, with `/` between the parts, from the root on.

/// A path as text. Bytes that are no UTF-8 are shown as `\xNN`: such a file is content, and can be nothing else. Where the name
/// itself reads so, its backslash is shown as `\x5c`: no two names are shown alike.
pub fn path_of_bytes(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    if let Ok(path) = std::str::from_utf8(bytes)
        && !bytes.contains(&b'\\')
    {
        return path.to_owned();
    }
    let mut path = String::new();
    for chunk in bytes.utf8_chunks() {
        path.push_str(&chunk.valid().replace(r"\x", r"\x5cx"));
        for byte in chunk.invalid() {
            let _ = write!(path, "\\x{byte:02x}");
        }
    }
    path
}

/// The name on disk of a path that [`path_of_bytes`] made.
pub fn path_on_disk(path: &str) -> std::path::PathBuf {
    let mut parts = path.split(r"\x");
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        match part.get(..2).map(|digits| u8::from_str_radix(digits, 16)) {
            Some(Ok(byte)) => {
                bytes.push(byte);
                bytes.extend(&part.as_bytes()[2..]);
            }
            // It was not made there.
            _ => bytes.extend([br"\x", part.as_bytes()].concat()),
        }
    }
    path_of_native(bytes)
}

#[cfg(unix)]
fn path_of_native(bytes: Vec<u8>) -> std::path::PathBuf {
    use std::os::unix::ffi::OsStringExt as _;
    std::ffi::OsString::from_vec(bytes).into()
}

/// Elsewhere every name is text.
#[cfg(not(unix))]
fn path_of_native(bytes: Vec<u8>) -> std::path::PathBuf {
    String::from_utf8_lossy(&bytes).into_owned().into()
}

/// The last part of a path.
pub fn file_name(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

/// The directory that holds a path; the empty one for what lies at the root.
pub fn directory_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(directory, _)| directory)
}

/// The directories above a path, the nearest first, without the root.
pub fn directories_above(path: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(path), |path| path.rsplit_once('/').map(|(directory, _)| directory)).skip(1)
}

/// A path without the directory that it lies below. The empty directory is the root.
pub fn without_directory<'p>(path: &'p str, directory: &str) -> &'p str {
    if directory.is_empty() { path } else { path.get(directory.len() + 1..).unwrap_or_default() }
}

/// Whether a path lies in a directory of what was written elsewhere, or is used by tests alone.
pub fn is_vendored(path: &str) -> bool {
    const DIRECTORIES: [&str; 4] = ["vendor", "node_modules", "third_party", "testdata"];
    path.split('/').any(|part| DIRECTORIES.contains(&part))
}

/// The path of something in a directory. The empty directory is the root.
pub fn in_directory(directory: &str, name: &str) -> String {
    if directory.is_empty() { name.to_owned() } else { [directory, "/", name].concat() }
}

/// Whether `path` is `directory` or lies below it. The empty directory is the root.
pub fn is_below(path: &str, directory: &str) -> bool {
    directory.is_empty() || path.strip_prefix(directory).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn names_are_found_again_on_disk() {
        use std::os::unix::ffi::OsStrExt as _;
        for name in [&b"a/b"[..], b"caf\xe9/x", br"a\xff", br"a\x5cxff", b"\\x\xff\\", b"\xffx41\xc3\xa9", br"\\xzz"] {
            let path = path_of_bytes(name);
            assert_eq!(path_on_disk(&path).as_os_str().as_bytes(), name, "{path}");
        }
    }
}
