# shellcheck shell=bash disable=SC2034,SC2154 # preflight.sh sources this file and sets the variables.
# Checks of bootstrap/preflight.sh: the hosted zones in Route 53, and what the role of external-dns may do there.

# The settings of external-dns in overrides.yaml contain a word.
overridden() {
  sed 's/#.*//' "$root/apps/platform/external-dns/clusters/$cluster/overrides.yaml" 2>/dev/null |
    grep -Eq "(^|[^A-Za-z0-9.-])${1//./[.]}([^A-Za-z0-9.-]|\$)"
}
# The public hosted zones in answer, except those that overrides.yaml excludes: id and name.
public_zones() {
  local id zone
  while read -r id zone; do
    [ -n "$id" ] || continue
    id=${id#/hostedzone/} zone=${zone%.}
    if overridden zone-id-filter && ! overridden "$id"; then continue; fi
    if overridden regex-domain-exclusion && overridden "$zone"; then continue; fi
    echo "$id $zone"
  done <<<"$answer"
}
# The name of the zone that holds the records of a name: the longest that contains it.
zone_of() {
  local id zone best=
  while read -r id zone; do
    case ".$1" in
      *".$zone") if [ -n "$zone" ] && [ "${#zone}" -gt "${#best}" ]; then best=$zone; fi ;;
    esac
  done <<<"$zones"
  [ -n "$best" ] && echo "$best"
}
ids_of() { awk -v zone="$1" '$2 == zone { print $1 }' <<<"$zones"; }
is_one() { [ "$(ids_of "$1" | wc -l)" -eq 1 ]; }
# Sets public: the public zones; zones: those that external-dns reads (regex-domain-filter); used: the names of those that hold our domains.
read_zones() {
  local id zone name
  # shellcheck disable=SC2016 # Literals of the query.
  ask "which hosted zones the account has" aws route53 list-hosted-zones \
    --query 'HostedZones[?Config.PrivateZone==`false`].[Id,Name]' --output text || return
  public=$(public_zones)
  zones=$(while read -r id zone; do if grep -Eq "$filter" <<<"$zone"; then echo "$id $zone"; fi; done <<<"$public")
  used=$(for name in ${domains[@]+"${domains[@]}"}; do zone_of "$name"; done | sort -u)
}

# The mode --zones.
print_zones() {
  local name zone
  read_zones >&2 || exit 1
  for name in ${domains[@]+"${domains[@]}"}; do
    if ! zone=$(zone_of "$name") || ! is_one "$zone"; then
      echo "Not exactly one public hosted zone holds $name: run $0 $cluster." >&2
      exit 1
    fi
  done
  for zone in $used; do ids_of "$zone"; done
}

# external-dns changes only records that carry its own owner id.
check_record() {
  local id zone records=
  zone=$(zone_of "$host") || return
  for id in $(ids_of "$zone"); do
    ask "who owns the record $host" aws route53 list-resource-record-sets --hosted-zone-id "$id" \
      --query "ResourceRecordSets[?contains(Name, '$host.')].[Name,Type,ResourceRecords[0].Value]" --output text || return
    records=$records$answer
  done
  if [ -z "$records" ] || grep -qF "external-dns/owner=$owner," <<<"$records"; then
    ok "no other owner has the record $host"
  else
    fail "the record $host has another owner" "Found: $(head -n 1 <<<"$records" | tr '\t' ' ')" \
      "external-dns changes only records of its owner id, $owner." "If nobody needs the record, delete it." "Otherwise set another ingress_host for the cluster."
  fi
}
check_zones() {
  local name zone id lacks_zone=
  public='' zones='' used=''
  read_zones || return
  for name in ${domains[@]+"${domains[@]}"}; do
    if zone=$(zone_of "$name"); then
      ok "Route 53 serves $name (zone $zone)"
    else
      fail "no public hosted zone of the account contains $name"
      lacks_zone=yes
    fi
  done
  if [ -n "$lacks_zone" ]; then
    details "The account has: $(words "$(cut -d' ' -f2 <<<"$public")")" \
      "Create a zone for the name, or for a domain above it, and delegate it." \
      "For the endpoint, you can set an ingress_host in a zone that exists."
  fi
  for zone in $used; do
    if is_one "$zone"; then
      ok "one public hosted zone is called $zone"
    else
      fail "several public hosted zones are called $zone: $(ids_of "$zone" | paste -sd' ' -)" "external-dns would use any of them." \
        "Delete the others, or list the right one and those of your other domains in" "apps/platform/external-dns/clusters/$cluster/overrides.yaml:" \
        "extraArgs: {zone-id-filter: [<id>]}"
    fi
  done
  check_record
  while read -r id zone; do
    if grep -Eq "[.]($zones_pattern)\$" <<<"$zone" && ! grep -qxF "$zone" <<<"$used"; then
      note "zone $zone ($id) is not used" "A host inside it would get no record that resolves."
    fi
  done <<<"$public"
}

# Checks what the role may do, including the policies of the organization.
may() { # may <action> <name of the zone> <id of the zone>
  ask "whether external-dns may $1 in zone $2" aws iam simulate-principal-policy --policy-source-arn "$role" --action-names "route53:$1" \
    --resource-arns "arn:$partition:route53:::hostedzone/$3" --query 'EvaluationResults[0].EvalDecision' --output text
}
check_dns_role() {
  local id zone role
  [ -n "${zones:-}" ] || return 0
  # check_roles has reported a missing role, or a failed query.
  run association external-dns/external-dns && [ -n "$answer" ] || return 0
  ask "which role external-dns has" aws eks describe-pod-identity-association --cluster-name "$cluster" \
    --association-id "$answer" --query association.roleArn --output text || return
  role=$answer
  while read -r id zone; do
    if grep -qxF "$zone" <<<"$used"; then
      may ChangeResourceRecordSets "$zone" "$id" || return
      if [ "$answer" = allowed ]; then
        ok "external-dns may change zone $zone"
      else
        fail "external-dns may not change zone $zone ($answer)" "Run the commands of docs/installation.md (AWS roles) again."
      fi
    fi
    may ListResourceRecordSets "$zone" "$id" || return
    if [ "$answer" = allowed ]; then
      ok "external-dns may read zone $zone"
    else
      fail "external-dns may not read zone $zone ($answer)" "Until it may, it changes no zone at all." "Either let its role read every zone (docs/installation.md, AWS roles)," "or exclude this zone in" \
        "apps/platform/external-dns/clusters/$cluster/overrides.yaml:" "extraArgs: {regex-domain-exclusion: $zone\$}"
    fi
  done <<<"$zones"
}
