# shellcheck shell=bash disable=SC2034,SC2154 # preflight.sh sources this file and sets the variables.
# How bootstrap/preflight.sh runs the tools and reports their results.

passed=0 failed=0 unanswered=0 postponed=0
# What a tool printed: its output, and the last line of its errors.
answer='' trouble=''
errors=$(mktemp) || exit 1
trap 'rm -f "$errors"' EXIT

# Every call names the cluster, and times out soon if nothing responds.
aws() { command aws --region "$region" --cli-connect-timeout 10 "$@"; }
kubectl() { command kubectl --context "$cluster" --request-timeout 15s "$@"; }

details() { # details <line...>
  if [ $# -gt 0 ]; then printf '      %s\n' "$@"; fi
}
# The different lines of a text in one line, for a sentence.
words() { awk 'NF && !seen[$0]++ { printf "%s%s", (n++ ? " " : ""), $0 } END { print n ? "" : "none" }' <<<"$1"; }
ok() { # ok <what>
  passed=$((passed + 1))
  printf 'ok    %s\n' "$1"
}
fail() { # fail <what was found> <line of the fix...>
  failed=$((failed + 1))
  printf 'FAIL  %s\n' "$1"
  shift
  details "$@"
}
note() { # note <what> <line...>
  printf 'note  %s\n' "$1"
  shift
  details "$@"
}
could_not_ask() { # could_not_ask <question>
  unanswered=$((unanswered + 1))
  printf 'could not check: %s\n' "$1"
  details "$trouble"
}
# Something that step 3 of docs/installation.md creates is missing.
missing() { # missing <what was found> <line of the fix...>
  if [ "$step" -ge 3 ]; then
    fail "$@"
  else
    postponed=$((postponed + 1))
    printf 'later %s: step 3 creates it\n' "$1"
  fi
}

run() { # run <command...>: sets answer, or trouble if it fails
  answer='' trouble=''
  if answer=$("$@" 2>"$errors" </dev/null); then
    if [ "$answer" = None ]; then answer=''; fi
    return 0
  fi
  trouble=$(awk 'NF { line = $0 } END { print line }' "$errors")
  if [ -z "$trouble" ]; then trouble="$1 failed without a message"; fi
  return 1
}
# Runs a query that must succeed. Reports and returns an error.
ask() { # ask <question> <command...>
  local question=$1
  shift
  run "$@" && return 0
  could_not_ask "$question"
  return 1
}
# Looks for something that may not exist. Returns 0 if it exists, 1 if not, 2 after any other error, which it reports.
look_for() { # look_for <question> <command...>
  local question=$1
  shift
  run "$@" && return 0
  case "$trouble" in
    'Error from server (NotFound)'* | *'(ResourceNotFoundException)'*) return 1 ;;
  esac
  could_not_ask "$question"
  return 2
}

finish() { # finish [<why it ends early>]
  echo
  if [ $((failed + unanswered)) -gt 0 ]; then
    if [ $# -gt 0 ]; then echo "$1"; fi
    if [ "$unanswered" -gt 0 ]; then
      echo "\"could not check\" means that a query failed: fix your access to AWS or the cluster first."
    fi
    echo "Not ready: $passed ok, $failed FAIL, $unanswered could not check. Fix them, then run this again."
    exit 1
  fi
  if [ "$postponed" -gt 0 ]; then
    echo "After step 3, run bootstrap/preflight.sh $cluster --step 3."
    echo "Step 1 is complete: $passed ok, $postponed later. Continue with step 2."
  else
    echo "Ready: $passed ok. Continue with docs/installation.md."
  fi
  exit 0
}
