#!/bin/sh
# Each script sources this file: uv then runs the script, with the Python packages that its lock file pins.
if command -v uv >/dev/null 2>&1; then
  exec uv run --locked --script "$0" "$@"
fi
# In a shell that has not activated mise.
if command -v mise >/dev/null 2>&1; then
  exec mise exec -- uv run --locked --script "$0" "$@"
fi
echo "${0##*/} needs uv. Install mise (https://mise.jdx.dev/installing-mise.html), then run: mise install" >&2
exit 127
