#!/usr/bin/env bash
# Runs imglint, and leaves the verdict to a later step: the findings are to be uploaded first.
set -euo pipefail

reports=$RUNNER_TEMP/imglint-reports
rm -rf "$reports"
mkdir -p "$reports"

arguments=(--format "$INPUT_FORMAT" --output "sarif=$reports/imglint.sarif" --output "json=$reports/imglint.json")
# What is handed over to a workflow with rights, in a directory of its own.
arguments+=(--output "patch=$reports/repair/imglint.patch" --output "concise=$reports/repair/imglint.txt")
if [[ -n $INPUT_BASE ]]; then
  arguments+=("--base=$INPUT_BASE")
fi
while IFS= read -r argument; do
  argument=${argument%$'\r'}
  if [[ -n $argument ]]; then
    arguments+=("$argument")
  fi
done <<<"$INPUT_ARGS"

code=2
if cd "$INPUT_WORKING_DIRECTORY"; then
  code=0
  imglint check "${arguments[@]}" || code=$?
else
  echo "::error title=imglint::the working-directory does not exist"
fi

{
  echo "exit-code=$code"
  for format in sarif json; do
    if [[ -s $reports/imglint.$format ]]; then
      echo "$format=$reports/imglint.$format"
    fi
  done
  if ((code != 2)); then
    echo "patch=$reports/repair/imglint.patch"
    echo "repair=$reports/repair"
  fi
} >>"$GITHUB_OUTPUT"
