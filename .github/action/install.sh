#!/usr/bin/env bash
# Puts imglint on the PATH of the steps that follow: from a release, with its checksum verified, or built from the action's own
# checkout.
set -euo pipefail

root=$RUNNER_TEMP/imglint-action
rm -rf "$root"
mkdir -p "$root/bin"

say() { printf 'imglint: %s\n' "$*"; }

target() {
  case $RUNNER_OS-$RUNNER_ARCH in
    Linux-X64) echo x86_64-unknown-linux-gnu ;;
    Linux-ARM64) echo aarch64-unknown-linux-gnu ;;
    macOS-X64) echo x86_64-apple-darwin ;;
    macOS-ARM64) echo aarch64-apple-darwin ;;
    Windows-X64) echo x86_64-pc-windows-msvc ;;
  esac
}

verify() {
  if command -v sha256sum >/dev/null; then sha256sum --check; else shasum --algorithm 256 --check; fi
}

# Exits with 1 where the release or its file is not there. A file that is not what the release says ends everything.
download() {
  local target archive
  target=$(target)
  [[ -n $target && -n ${ACTION_REPOSITORY:-} ]] || return 1
  archive=imglint-$target.tar.gz
  for file in SHA256SUMS "$archive"; do
    curl --fail --silent --show-error --location --proto-redir =https --retry 3 --output "$root/$file" \
      "$GITHUB_SERVER_URL/$ACTION_REPOSITORY/releases/download/$1/$file" || return 1
  done
  cd "$root"
  awk -v name="$archive" '$2 == name || $2 == "*" name' SHA256SUMS >expected
  if [[ ! -s expected ]] || ! verify <expected; then
    echo "::error title=imglint::$archive of $1 is not the file that its release lists: nothing was run"
    exit 2
  fi
  tar -xzf "$archive" -C bin || exit 2
}

if [[ $INPUT_VERSION == source ]]; then
  wanted=''
else
  wanted=${INPUT_VERSION:-v$(sed -n 's/^version = "\(.*\)"$/\1/p' "$GITHUB_ACTION_PATH/Cargo.toml" | head -n 1)}
fi

if [[ -n $wanted ]] && download "$wanted"; then
  say "$wanted from the release"
elif [[ -n $INPUT_VERSION && -n $wanted ]]; then
  echo "::error title=imglint::there is no release $wanted with a file for $RUNNER_OS $RUNNER_ARCH; leave out \`version\`, or set it to \`source\` to build it"
  exit 2
else
  say "building from source"
  cargo install --locked --path "$GITHUB_ACTION_PATH" --root "$root"
fi
"$root/bin/imglint" --version
echo "$root/bin" >>"$GITHUB_PATH"
