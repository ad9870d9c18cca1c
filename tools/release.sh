#!/usr/bin/env bash
# release.sh check|tag <version>: what must hold before a version is tagged, and the tag. `make release` calls both.
set -euo pipefail
cd "$(dirname "$0")/.."
action=$1 version=$2

refuse() {
  echo "Not released: $1" >&2
  exit 1
}

[[ $version =~ ^(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)$ ]] || refuse "name a version like 1.2.3: make release VERSION=1.2.3"
[ -z "$(git status --porcelain)" ] || refuse "the working tree has changes; commit them"
git rev-parse --quiet --verify "refs/tags/v$version" >/dev/null && refuse "v$version is tagged already"
newest=$(git tag --list 'v*' --sort=-version:refname | head -1)
[ -z "$newest" ] || [ "$(printf '%s\n' "$newest" "v$version" | sort --version-sort | tail -1)" = "v$version" ] ||
  refuse "$newest is newer than v$version"
grep -q "^## \[$version\] - [0-9-]*$" CHANGELOG.md || refuse "CHANGELOG.md has no heading '## [$version] - $(date +%F)'"
[[ $version == *.0.0 ]] && { grep -q "^## $version$" UPGRADING.md || refuse "UPGRADING.md has no heading '## $version'"; }

if [ "$action" = tag ]; then
  git tag --annotate "v$version" --message "Version $version"
  echo "v$version is tagged. Publish it: git push origin HEAD v$version"
fi
