#!/usr/bin/env bash
# Check, tag and describe a version of the template: release.sh check|tag|notes <version>
#   check   exit with an error if the version cannot be released from this working tree
#   tag     check, then tag the version
#   notes   print the section of the version in CHANGELOG.md, for the GitHub release
# `make release` calls check and tag. The release workflow calls notes.
set -euo pipefail
cd "$(dirname "$0")/.."

refuse() {
  echo "Not released: $1" >&2
  exit 1
}

check() {
  [ -z "$(git status --porcelain)" ] || refuse "the working tree has changes; commit them"
  ! git rev-parse --quiet --verify "refs/tags/v$version" >/dev/null || refuse "v$version is tagged already"
  local newest
  newest=$(git tag --list 'v*' --sort=-version:refname | head -1)
  [ -z "$newest" ] || [ "$(printf '%s\n' "$newest" "v$version" | sort --version-sort | tail -1)" = "v$version" ] ||
    refuse "$newest is newer than v$version"
  grep -q "^## \[$version\] - [0-9-]*$" CHANGELOG.md || refuse "CHANGELOG.md has no heading '## [$version] - $(date +%F)'"
  [[ $version != *.0.0 ]] || grep -q "^## $version$" UPGRADING.md || refuse "UPGRADING.md has no heading '## $version'"
}

tag() {
  check
  git tag --annotate "v$version" --message "Version $version"
  echo "v$version is tagged. Publish it: git push origin HEAD v$version"
}

notes() {
  local text
  text=$(awk -v heading="## [$version] - " '/^## / { inside = index($0, heading) == 1; next } inside' CHANGELOG.md)
  text=${text#"${text%%[![:space:]]*}"}
  [ -n "$text" ] || refuse "CHANGELOG.md has no section '## [$version] - <date>', or nothing in it"
  printf '%s\n' "$text"
}

[ $# -eq 2 ] || refuse "usage: release.sh check|tag|notes <version>"
action=$1 version=$2
[[ $version =~ ^(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)$ ]] || refuse "name a version like 1.2.3: make release VERSION=1.2.3"
case $action in
  check | tag | notes) "$action" ;;
  *) refuse "$action is not one of check, tag, notes" ;;
esac
