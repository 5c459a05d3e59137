#!/usr/bin/env bash
# Comments on pull requests what imglint's presubmit can repair in them: for a job of Prow that holds a token, as presubmits have
# none. It looks at the open pull requests that something happened to of late, and takes the patch that the presubmit
# left among its artifacts for text that a stranger wrote. docs/prow.md tells how to set it up. It needs bash, curl, gh and git, and
# lies in a clone of imglint.
# shellcheck disable=SC2153 # the environment sets what is in capitals
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../../.github/action/repair/patch.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../.github/action/repair/patch.sh"

for name in REPOSITORY JOB VIEW STORE LOGIN REPORTER PATHS; do
  [[ -n ${!name:-} ]] || fail "$name is not set; docs/prow.md lists what must be"
done
DAYS=${DAYS:-7}
[[ $REPOSITORY =~ ^[A-Za-z0-9._-]+/[A-Za-z0-9._-]+$ && $JOB =~ ^[A-Za-z0-9._-]+$ && $DAYS =~ ^[0-9]{1,4}$ ]] ||
  fail 'REPOSITORY must be ORGANISATION/NAME, JOB the name of a job, and DAYS a number'
SERVER=${SERVER:-https://github.com}
# A job that a comment on a pull request starts is about that one.
only=${PULL_NUMBER:-}
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
quiet_git "$SERVER"

# What an older comment says is no longer so.
settle() {
  local number=$1 own=$2 head=$3 line="$MARK$3: none -->"
  if [[ -z $own || ${own#* } == "$line" ]]; then return 0; fi
  printf '%s\nThere is nothing that imglint could repair in %s.\n' "$line" "${head:0:12}" >"$work/body"
  put_comment "$REPOSITORY" "$number" "${own%% *}" "$work/body"
}

# Comments on one pull request. Returns 1, and says why, where that could not be done. Nothing in here ends the run.
hand_over() {
  local number=$1 head=$2 state=$3 address=$4 own run status paths code=0 title marker
  own=$(our_comment "$REPOSITORY" "$number" "$LOGIN") || return 1
  if [[ $state == SUCCESS ]]; then
    settle "$number" "$own" "$head"
    return
  fi
  # The status names the run; that it is a run of this job for this pull request stands in its path.
  run=${address#"$VIEW"}
  run=${run%/}
  [[ $address == "$VIEW"* && $run =~ ^[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$ &&
    $run =~ (^|/)"$number/$JOB/"[0-9]+$ ]] || { echo "its status links to no run of $JOB for it"; return 1; }
  # Another run for the same commit may find another patch: the base branch goes on.
  marker="$MARK$head by ${run##*/} -->"
  if [[ ${own#* } == "$marker" ]]; then return 0; fi
  status=$(curl --silent --show-error --fail --proto '=https' --max-time 60 --max-filesize "$LIMIT" --write-out '%{http_code}' \
    --output "$work/patch" "$STORE$run/artifacts/imglint.patch") || code=$?
  if [[ $status == 404 ]]; then
    settle "$number" "$own" "$head"
    return
  fi
  ((code == 0)) || { echo "its patch could not be fetched from $STORE$run (curl: $code)"; return 1; }
  paths=$(check_patch "$work/patch" 2>"$work/why") || { echo "the patch is refused: $(<"$work/why")"; return 1; }
  rm -rf "$work/repository.git"
  fetch_commit "$work/repository.git" "$SERVER/$REPOSITORY" "$head" || return 1
  are_plain_files "$work/repository.git" "$head" <<<"$paths" 2>"$work/why" ||
    { echo "the patch is refused: $(<"$work/why")"; return 1; }
  tree_with "$work/repository.git" "$head" "$work/patch" "$paths" >"$work/tree" 2>"$work/why" || code=$?
  ((code < 2)) || { echo "the patch is refused, or could not be tried: $(<"$work/why")"; return 1; }
  title=$(title_of "$paths" "$head" "$code")
  write_comment "$work/body" "$marker" "$title" "curl -fsSL $STORE$run/artifacts/imglint.patch | git apply" "$work/patch"
  put_comment "$REPOSITORY" "$number" "${own%% *}" "$work/body" || return 1
  echo 'commented'
}

# shellcheck disable=SC2016 # GraphQL
query='query($owner: String!, $name: String!, $context: String!, $endCursor: String) {
  repository(owner: $owner, name: $name) {
    pullRequests(states: OPEN, first: 50, after: $endCursor) {
      pageInfo { hasNextPage endCursor }
      nodes {
        number headRefOid updatedAt
        commits(last: 1) { nodes { commit { oid status { context(name: $context) { state targetUrl creator { login } } } } } }
      }
    }
  }
}'
gh api graphql --paginate -f owner="${REPOSITORY%%/*}" -f name="${REPOSITORY#*/}" -f context="$JOB" -f query="$query" --jq "
  .data.repository.pullRequests.nodes[] | select((.updatedAt | fromdateiso8601) > now - $DAYS * 86400)
  | [.number, .headRefOid] + (.commits.nodes[0].commit | [.oid] + (.status.context // empty
  | [.state, .creator.login // \"-\", .targetUrl // \"-\"])) | @tsv" >"$work/pulls"

failed=0
while IFS=$'\t' read -r number head commit state reporter address <&3; do
  # Anybody who may set a status can write any link into it.
  [[ $number =~ ^[0-9]+$ && $head =~ ^[0-9a-f]{40,64}$ && $head == "$commit" && $reporter == "$REPORTER" ]] || continue
  [[ ($state == FAILURE || $state == SUCCESS) && (-z $only || $only == "$number") ]] || continue
  if said=$(hand_over "$number" "$head" "$state" "$address"); then
    if [[ -n $said ]]; then say "#$number: $said"; fi
  else
    say "#$number: ${said:-failed}" >&2
    failed=2
  fi
done 3<"$work/pulls"
exit "$failed"
