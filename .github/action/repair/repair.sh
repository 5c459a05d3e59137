#!/usr/bin/env bash
# Hands over the repair that a run without rights left as an artifact: as a comment on its pull request, or as a commit on its
# branch. This runs with rights. What it goes by is the event; the artifact is text, and nothing of the change is checked out or run.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=patch.sh
. "$(dirname "${BASH_SOURCE[0]}")/patch.sh"

PATHS=$INPUT_PATHS
work=$RUNNER_TEMP/imglint-repair
rm -rf "$work"
mkdir -p "$work/artifact"

# The event says which run this is about. All of it is looked at once more, as parts of it are up to whoever made the change.
[[ $RUN_EVENT == pull_request ]] || fail "this is for runs of pull_request, and this run was for $RUN_EVENT: nothing was done"
[[ $HEAD_SHA =~ ^[0-9a-f]{40}([0-9a-f]{24})?$ && $RUN_ID =~ ^[0-9]+$ ]] || fail 'the event names no run and no commit'
for name in "$GITHUB_REPOSITORY" "$HEAD_REPOSITORY"; do
  [[ $name =~ ^[A-Za-z0-9._-]+/[A-Za-z0-9._-]+$ ]] || fail 'the event names no repository; is the fork gone?'
done
[[ $INPUT_MODE == comment || $INPUT_MODE == push ]] || fail "\`mode\` must be comment or push, not $INPUT_MODE"
[[ -n ${PATHS//[$' \t\r\n']/} ]] || fail "\`paths\` must say which files a patch may touch, one pattern a line"
case $RUN_CONCLUSION in
  success | failure) ;;
  *) say "the run ended as $RUN_CONCLUSION: there is nothing to hand over"; exit 0 ;;
esac

# The open pull request that this commit is the head of. The number is not taken from the artifact.
gh api --method GET "repos/$GITHUB_REPOSITORY/pulls" -f state=open -f per_page=100 -f "head=${HEAD_REPOSITORY%%/*}:$HEAD_BRANCH" \
  --jq '.[] | [.number, .head.sha, (.head.repo.full_name // "-"), .head.ref] | @tsv' >"$work/pulls"
number='' current='' others=0
while IFS=$'\t' read -r its_number its_head its_repository its_branch; do
  [[ $its_repository == "$HEAD_REPOSITORY" && $its_branch == "$HEAD_BRANCH" && $its_number =~ ^[0-9]+$ ]] || continue
  if [[ -n $number ]]; then others=1; fi
  number=$its_number current=$its_head
done <"$work/pulls"
if [[ -z $number ]]; then
  say 'no pull request is open for this branch: there is nothing to hand over'
  exit 0
elif ((others)); then
  say 'several pull requests are open for this branch, and the run does not say for which it was: nothing was done'
  exit 0
elif [[ $current != "$HEAD_SHA" ]]; then
  say "pull request #$number has gone on to ${current:0:12}: the run for that says what is to be repaired"
  exit 0
fi

own=$(our_comment "$GITHUB_REPOSITORY" "$number" "$INPUT_LOGIN")
# What an older comment says is no longer so.
settle() {
  say "$1"
  if [[ -n $own ]]; then
    printf '%s%s: none -->\n%s\n' "$MARK" "$HEAD_SHA" "$1" >"$work/body"
    put_comment "$GITHUB_REPOSITORY" "$number" "${own%% *}" "$work/body"
  fi
}

gh api --method GET "repos/$GITHUB_REPOSITORY/actions/runs/$RUN_ID/artifacts" -f "name=$INPUT_ARTIFACT" \
  --jq '.artifacts[] | [.id, .size_in_bytes, .expired] | @tsv' >"$work/artifacts"
if [[ ! -s $work/artifacts ]]; then
  settle "The run for ${HEAD_SHA:0:12} left no patch: imglint could not judge it, or was not asked for one."
  exit 0
fi
while IFS=$'\t' read -r _ size expired; do
  if [[ ! $size =~ ^[0-9]{1,9}$ ]] || ((size > 4 * LIMIT)); then
    fail "the artifact is larger than $((4 * LIMIT)) bytes: nothing was done"
  fi
  [[ $expired == false ]] || fail 'the artifact has expired: run the workflow again'
done <"$work/artifacts"
gh run download "$RUN_ID" --repo "$GITHUB_REPOSITORY" --name "$INPUT_ARTIFACT" --dir "$work/artifact"

patch=$work/artifact/imglint.patch
if [[ -f $patch && ! -L $patch && ! -s $patch ]]; then
  settle "There is nothing that imglint could repair in ${HEAD_SHA:0:12}."
  exit 0
fi
paths=$(check_patch "$patch" 2>"$work/why") || fail "the patch is refused: $(<"$work/why"); nothing was done"

quiet_git "$GITHUB_SERVER_URL"
repository=$work/repository.git
fetch_commit "$repository" "$GITHUB_SERVER_URL/$GITHUB_REPOSITORY" "$HEAD_SHA"
are_plain_files "$repository" "$HEAD_SHA" <<<"$paths" 2>"$work/why" ||
  fail "the patch is refused: $(<"$work/why"); nothing was done"
code=0
tree=$(tree_with "$repository" "$HEAD_SHA" "$patch" "$paths" 2>"$work/why") || code=$?
case $code in
  0 | 1) ;;
  3) fail 'the patch is refused: git makes more of it than it says; nothing was done' ;;
  *) fail "the patch could not be tried: $(<"$work/why")" ;;
esac

# Why nothing is pushed, if so.
why_not=''
if [[ $INPUT_MODE == comment ]]; then
  why_not='-'
elif [[ $HEAD_REPOSITORY != "$GITHUB_REPOSITORY" ]]; then
  why_not='the branch is in another repository, where nothing is pushed to'
elif [[ -z $DEFAULT_BRANCH || $HEAD_BRANCH == "$DEFAULT_BRANCH" ]]; then
  why_not='the branch is the default branch, where nothing is pushed to unseen'
elif ((code)); then
  why_not='the patch does not apply to the head alone'
elif [[ $(git -C "$repository" log -1 --format=%ae "$HEAD_SHA") == "$INPUT_EMAIL" ]]; then
  why_not='the last commit is a repair already, and left something over: that is for a person to see'
fi
if [[ -z $why_not ]]; then
  export GIT_AUTHOR_NAME=$INPUT_LOGIN GIT_AUTHOR_EMAIL=$INPUT_EMAIL GIT_COMMITTER_NAME=$INPUT_LOGIN GIT_COMMITTER_EMAIL=$INPUT_EMAIL
  commit=$(git -C "$repository" commit-tree "$tree" -p "$HEAD_SHA" -m 'Repair images as imglint says' \
    -m "What imglint --fix writes for $HEAD_SHA.")
  [[ $commit =~ ^[0-9a-f]{40,64}$ ]] || fail 'the repair could not be committed'
  # With a lease: whoever pushed meanwhile comes first.
  git -C "$repository" push -q "--force-with-lease=refs/heads/$HEAD_BRANCH:$HEAD_SHA" origin "$commit:refs/heads/$HEAD_BRANCH" ||
    fail "the repair could not be pushed to $HEAD_BRANCH: does the token have \`contents: write\`, and is the branch as it was?"
  settle "Repaired by ${commit:0:12}."
  exit 0
fi
if [[ $why_not != - ]]; then say "$why_not"; fi
# Another run for the same commit may find another patch: the base branch goes on.
marker="$MARK$HEAD_SHA by $(git hash-object --no-filters "$patch") -->"
if [[ ${own#* } == "$marker" ]]; then
  say "the comment on #$number shows this patch already"
  exit 0
fi
title=$(title_of "$paths" "$HEAD_SHA" "$code")
write_comment "$work/body" "$marker" "$title" \
  "gh run download $RUN_ID -R $GITHUB_REPOSITORY -n $INPUT_ARTIFACT -D /tmp/imglint-$RUN_ID
git apply /tmp/imglint-$RUN_ID/imglint.patch" \
  "$patch" "$work/artifact/imglint.txt"
put_comment "$GITHUB_REPOSITORY" "$number" "${own%% *}" "$work/body"
say "commented on #$number"
