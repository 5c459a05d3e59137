#!/usr/bin/env bash
# Judges what a change does to images, with one release of imglint that is pinned by its checksum: for repositories that do not build
# it themselves. Copy this file, for example to hack/verify-test-images.sh; its arguments are those of imglint. It needs bash, curl,
# tar and git.
set -o errexit -o nounset -o pipefail

VERSION=v0.1.0
RELEASES=https://github.com/OWNER/imglint/releases/download
# The lines of that release's SHA256SUMS. Nothing else is ever run: whoever raises VERSION writes these anew.
SUMS='
CHECKSUM  imglint-x86_64-unknown-linux-gnu.tar.gz
CHECKSUM  imglint-aarch64-unknown-linux-gnu.tar.gz
CHECKSUM  imglint-x86_64-apple-darwin.tar.gz
CHECKSUM  imglint-aarch64-apple-darwin.tar.gz
'

# As imglint's own: what cannot be judged is neither clean nor a finding.
fail() {
  echo "$(basename "$0"): $*" >&2
  exit 2
}

sum_of() {
  if command -v sha256sum >/dev/null; then sha256sum -- "$1"; else shasum -a 256 -- "$1"; fi | cut -d ' ' -f 1
}

case $(uname -s)-$(uname -m) in
  Linux-x86_64) target=x86_64-unknown-linux-gnu ;;
  Linux-aarch64 | Linux-arm64) target=aarch64-unknown-linux-gnu ;;
  Darwin-x86_64) target=x86_64-apple-darwin ;;
  Darwin-arm64) target=aarch64-apple-darwin ;;
  *) fail "imglint $VERSION has no binary for $(uname -s) on $(uname -m); build it with cargo" ;;
esac
name=imglint-$target.tar.gz
wanted=$(awk -v name="$name" '$2 == name { print $1 }' <<<"$SUMS")
[[ $wanted =~ ^[0-9a-f]{64}$ ]] || fail "SUMS has no checksum of $name; copy its line from SHA256SUMS of $VERSION"

scratch=$(mktemp -d)
trap 'rm -rf -- "$scratch"' EXIT

# The archive is kept, and what is run comes out of it each time: whatever happened to it meanwhile, the checksum tells.
kept=${XDG_CACHE_HOME:-$HOME/.cache}/imglint/$wanted.tar.gz
if [[ ! -f $kept || $(sum_of "$kept") != "$wanted" ]]; then
  curl --fail --silent --show-error --location --proto '=https' --retry 3 --output "$scratch/$name" \
    "$RELEASES/$VERSION/$name" || fail "$RELEASES/$VERSION/$name could not be fetched"
  found=$(sum_of "$scratch/$name")
  [[ $found == "$wanted" ]] || fail "$name is not what was pinned: its checksum is $found, not $wanted; nothing was run"
  # Moved whole, as two runs may be at it.
  mkdir -p -- "${kept%/*}"
  cp -- "$scratch/$name" "$kept.$$"
  mv -f -- "$kept.$$" "$kept"
fi
cp -- "$kept" "$scratch/archive"
[[ $(sum_of "$scratch/archive") == "$wanted" ]] || fail "$kept changed while it was read; run this again"
tar -xzf "$scratch/archive" -C "$scratch" imglint || fail "$name holds no imglint"

code=0
"$scratch/imglint" "$@" || code=$?
exit "$code"
