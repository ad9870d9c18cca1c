# shellcheck shell=bash disable=SC2034,SC2154 # preflight.sh sources this file and sets the variables.
# Checks of bootstrap/preflight.sh: the zones at Cloudflare.

# Prints the zone that contains a name, as far as the token can see it. The token is on no command line.
zone_of() { # zone_of <name>
  local zone=$1 response
  while [ "$zone" != "${zone#*.}" ]; do
    response=$(printf 'header = "Authorization: Bearer %s"\n' "$token" |
      curl --config - --silent --show-error --fail --connect-timeout 10 "https://api.cloudflare.com/client/v4/zones?name=$zone") || return
    if grep -Eq '"total_count": *[1-9]' <<<"$response"; then
      echo "$zone"
      return
    fi
    zone=${zone#*.}
  done
}
# Sets token: from the environment, or from the Secret in the cluster.
read_token() {
  token=${CLOUDFLARE_API_TOKEN:-}
  [ -z "$token" ] || return 0
  look_for "which token external-dns has" kubectl get secret cloudflare-api-token --namespace external-dns --output 'jsonpath={.data.apiToken}'
  case $? in
    0) token=$(base64 --decode <<<"$answer") ;;
    2) return 1 ;;
  esac
  [ -z "$token" ] || return 0
  if [ -d "$root/apps/platform/external-secrets/clusters/$cluster" ]; then
    note "the DNS zones were not checked" "To check them before the bootstrap, set CLOUDFLARE_API_TOKEN."
  else
    missing "external-dns has no Cloudflare token" "docs/installation.md (DNS token) has the commands that create it."
  fi
  return 1
}
check_zones() {
  local name token
  read_token || return
  for name in ${domains[@]+"${domains[@]}"}; do
    ask "whether Cloudflare serves $name" zone_of "$name" || continue
    if [ -n "$answer" ]; then
      ok "Cloudflare serves $name (zone $answer)"
    else
      fail "the token sees no zone at Cloudflare for $name" "Add the zone, or give the token Zone: Read and DNS: Edit for it."
    fi
  done
}
