# shellcheck shell=bash
# What hands a repair over: to be sourced, with PATHS set to patterns of the files that a patch may touch. The patch and all that lies
# beside it come out of a job that a stranger's change ran in: they are looked at as text, held against the tree that they are for, and
# never run.

# Bytes, and files. What imglint repairs are values; more than this is nothing that anybody reads.
readonly LIMIT=262144 MOST_FILES=1000

say() { printf 'imglint: %s\n' "$*"; }

# What cannot be done is neither clean nor done.
fail() {
  local text="$*"
  printf 'imglint: %s\n' "$text" >&2
  text=${text//%/%25}
  if [[ ${GITHUB_ACTIONS:-} == true ]]; then printf '::error title=imglint::%s\n' "${text//$'\n'/%0A}"; fi
  exit 2
}

# No configuration but this, no hook, no question. The token goes to one server alone.
quiet_git() {
  export GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null GIT_TERMINAL_PROMPT=0 GIT_CONFIG_COUNT=2
  export GIT_CONFIG_KEY_0=core.hooksPath GIT_CONFIG_VALUE_0=/dev/null
  # shellcheck disable=SC2016 # git's shell puts in the token
  export GIT_CONFIG_KEY_1="credential.$1.helper" \
    GIT_CONFIG_VALUE_1='!f() { printf "username=x-access-token\npassword=%s\n" "$GH_TOKEN"; }; f'
}

# Prints the files that a patch is about. It must be of the one form that imglint writes: no file comes, goes, or changes its kind.
files_of() {
  LC_ALL=C awk '
    function bad(why) { printf "line %d %s\n", NR, why > "/dev/stderr"; failed = 1; exit 1 }
    function count(range) { return range ~ /,/ ? substr(range, index(range, ",") + 1) + 0 : 1 }
    old > 0 || new > 0 {
      kind = substr($0, 1, 1)
      if (kind == " ") { old--; new-- }
      else if (kind == "-") old--
      else if (kind == "+") new--
      else if (!/^\\ No newline at end of file$/) bad("belongs to no hunk")
      if (old < 0 || new < 0) bad("is more than its hunk says")
      was_hunk = 1
      next
    }
    /^\\ No newline at end of file$/ && was_hunk { next }
    /^--- a\/./ && step != "to" { if (step == "hunk") bad("comes before any hunk"); from = substr($0, 7); step = "to"; next }
    /^\+\+\+ b\/./ && step == "to" {
      if (substr($0, 7) != from) bad("renames a file")
      print from
      step = "hunk"
      next
    }
    /^@@ -[0-9]+(,[0-9]+)? \+[0-9]+(,[0-9]+)? @@$/ && (step == "hunk" || step == "more") {
      old = count($2)
      new = count($3)
      if (old + new == 0) bad("changes nothing")
      step = "more"
      next
    }
    { bad("is nothing that imglint writes") }
    END { if (!failed && (old > 0 || new > 0 || step != "more")) { print "it ends too early" > "/dev/stderr"; exit 1 } }
  ' "$1"
}

# Whether a patch may touch a file: a plain name with nothing hidden in it, that one of the lines of PATHS covers, in which * stands
# for slashes, too.
may_touch() {
  local path=$1 pattern
  ((${#path} <= 1024)) && [[ $path =~ ^[A-Za-z0-9_@+][A-Za-z0-9._@+-]*(/[A-Za-z0-9_@+][A-Za-z0-9._@+-]*)*$ ]] || return 1
  while IFS= read -r pattern; do
    pattern=${pattern%$'\r'}
    # shellcheck disable=SC2053 # it is a pattern
    if [[ -n $pattern && $path == $pattern ]]; then return 0; fi
  done <<<"${PATHS:?}"
  return 1
}

# Prints the files of a patch that is what it should be; says why and returns 1 otherwise.
check_patch() {
  local file=$1 paths path
  [[ -f $file && ! -L $file ]] || { echo 'it is no plain file' >&2; return 1; }
  (($(wc -c <"$file") <= LIMIT)) || { echo "it is larger than $LIMIT bytes" >&2; return 1; }
  [[ -z $(tail -c 1 "$file") ]] || { echo 'its last line has no end' >&2; return 1; }
  # Nothing that is no text, and nothing that lets a reader see another text than git does.
  (($(LC_ALL=C tr -d '\t\n\r\040-\176\200-\377' <"$file" | wc -c) == 0)) || { echo 'it holds control characters' >&2; return 1; }
  if LC_ALL=C grep -q -e $'\r.' -e $'\xe2\x80[\x8b-\x8f\xaa-\xae]' -e $'\xe2\x81[\xa0-\xaf]' -e $'\xd8\x9c' "$file"; then
    echo 'it holds characters that hide others' >&2
    return 1
  fi
  paths=$(files_of "$file") || return 1
  (($(wc -l <<<"$paths") <= MOST_FILES)) || { echo "it touches more than $MOST_FILES files" >&2; return 1; }
  while IFS= read -r path; do
    may_touch "$path" || { printf 'it touches %q, which none of the paths covers that it may touch\n' "$path" >&2; return 1; }
  done <<<"$paths"
  if [[ -n $(sort <<<"$paths" | uniq -d) ]]; then
    echo 'it touches a file twice' >&2
    return 1
  fi
  printf '%s\n' "$paths"
}

# Fetches one commit, without its files, into a repository without a working tree: nothing of it is ever checked out.
fetch_commit() {
  local repository=$1 address=$2 commit=$3
  git init -q --bare "$repository"
  git -C "$repository" remote add origin "$address"
  git -C "$repository" fetch -q --depth=1 --no-tags --filter=blob:none origin "$commit"
}

# Whether all these files are plain files of a commit.
are_plain_files() {
  local repository=$1 commit=$2 path mode
  while IFS= read -r path; do
    mode=$(git -C "$repository" ls-tree "$commit" -- "$path")
    case $mode in
      '100644 '* | '100755 '*) ;;
      *) echo "$path is no plain file of $commit" >&2; return 1 ;;
    esac
  done
}

# Prints the tree that a patch makes of a commit. Returns 1 where it does not apply, 2 where that could not be tried, and 3 where
# more comes of it than its text says.
tree_with() {
  local repository=$1 commit=$2 file=$3 paths=$4 was is status name changed=''
  git -C "$repository" read-tree "$commit" || return 2
  git -C "$repository" apply --cached --whitespace=nowarn "$file" || return 1
  # What git made of it counts, and not what was read in it above.
  while read -r was is _ _ status name; do
    [[ $status == M && ${was#:} == "$is" && ($is == 100644 || $is == 100755) ]] || return 3
    changed+=$name$'\n'
  done < <(git -C "$repository" diff-index --cached --raw --no-renames "$commit")
  [[ $(sort <<<"${changed%$'\n'}") == $(sort <<<"$paths") ]] || return 3
  git -C "$repository" write-tree || return 2
}

# Prints files as they are, in a block that none of their lines can end: no Markdown, HTML or mention in them means anything.
fenced() {
  local kind=$1 longest fence
  shift
  longest=$(LC_ALL=C cat -- "$@" | tr -cs '`' '\n' | awk '{ if (length > n) n = length } END { print (n < 3 ? 3 : n + 1) }')
  fence=$(printf '%*s' "$longest" '' | tr ' ' '`')
  printf '%s%s\n' "$fence" "$kind"
  cat -- "$@"
  printf '%s\n' "$fence"
}

# Prints what a comment is about: files, the commit, and what came of applying the patch to it.
title_of() {
  local count files='1 file'
  count=$(($(wc -l <<<"$1")))
  if ((count > 1)); then files="$count files"; fi
  # shellcheck disable=SC2016 # Markdown
  printf '**imglint can repair this pull request**: %s of `%s`.' "$files" "${2:0:12}"
  if (($3)); then
    printf ' The patch is for its merge with the base branch, and does not apply to it alone: merge or rebase first.'
  fi
  printf ' Where the pull request is checked out:'
}

# Writes the text of a comment: what it is about, how to apply the patch, and what is in it.
write_comment() {
  local body=$1 marker=$2 title=$3 how=$4 patch=$5 findings=${6:-}
  {
    # shellcheck disable=SC2016 # Markdown
    printf '%s\n%s\n\n```sh\n%s\n```\n\n`imglint --fix` does the same.\n\n' "$marker" "$title" "$how"
    fenced diff "$patch"
  } >"$body"
  if [[ -n $findings && -f $findings && ! -L $findings && -s $findings ]] && (($(wc -c <"$findings") <= LIMIT)); then
    LC_ALL=C tr -cd '\n\040-\176' <"$findings" | head -n 30 | cut -c 1-300 >"$body.findings"
    { printf '\nWhat it is about:\n\n'; fenced text "$body.findings"; } >>"$body"
  fi
  # GitHub takes no longer ones.
  if (($(wc -c <"$body") > 60000)); then
    # shellcheck disable=SC2016 # Markdown
    printf '%s\n%s\n\n```sh\n%s\n```\n\n`imglint --fix` does the same. The patch is too long to be shown here.\n' \
      "$marker" "$title" "$how" >"$body"
  fi
}

# The first words of every comment of ours, and what says of which commit one is.
readonly MARK='<!-- imglint repair of '

# Prints the id of our comment on a pull request, a blank, and its first line; nothing where there is none.
our_comment() {
  local repository=$1 number=$2 login=$3 id author line
  gh api --paginate "repos/$repository/issues/$number/comments?per_page=100" \
    --jq '.[] | [.id, .user.login, ((.body // "") | split("\n")[0])] | @tsv' | {
    found=''
    while IFS=$'\t' read -r id author line; do
      # Somebody else may write the same words.
      if [[ $author == "$login" && $line == "$MARK"* && $id =~ ^[0-9]+$ && -z $found ]]; then found="$id ${line%\\r}"; fi
    done
    if [[ -n $found ]]; then printf '%s\n' "$found"; fi
  }
}

# Writes our comment: the one that there is, or a new one.
put_comment() {
  local repository=$1 number=$2 id=$3 body=$4
  if [[ -n $id ]]; then
    gh api --silent --method PATCH "repos/$repository/issues/comments/$id" -F "body=@$body"
  else
    gh api --silent --method POST "repos/$repository/issues/$number/comments" -F "body=@$body"
  fi
}
