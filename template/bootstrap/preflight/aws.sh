# shellcheck shell=bash disable=SC2034,SC2154 # preflight.sh sources this file and sets the variables.
# Checks of bootstrap/preflight.sh: the account, the cluster in EKS, instances, certificates, roles and secrets.

check_identity() {
  local found who
  if ! ask "which AWS account your credentials are for" aws sts get-caller-identity --query '[Account,Arn]' --output text; then
    details "Sign in to AWS, for example with: aws sso login" "If you use several profiles, set AWS_PROFILE."
    return 1
  fi
  read -r found who <<<"$answer"
  if [ -z "$account" ] || [ "$found" = "$account" ]; then
    ok "AWS credentials are for account $found (${who##*:})"
    return 0
  fi
  fail "AWS credentials are for account $found, but the answers have $account" "They belong to $who." \
    "Use credentials for account $account, for example with AWS_PROFILE."
  return 1
}

# Sets endpoint.
check_eks() {
  local status what="cluster $cluster in region $region"
  look_for "whether EKS has $what" aws eks describe-cluster --name "$cluster" --query 'cluster.[status,endpoint]' --output text
  case $? in
    1) fail "EKS has no $what" "$trouble" "If its name or region is another one, change the answers." \
      "This lists the clusters of the region:" \
      "aws eks list-clusters --region $region" ;;
    0)
      read -r status endpoint <<<"$answer"
      case "$status" in
        ACTIVE | UPDATING)
          ok "EKS has $what"
          return 0
          ;;
        *) fail "$what is $status" "Wait until it is ACTIVE:" "aws eks wait cluster-active --name $cluster --region $region" ;;
      esac
      ;;
  esac
  return 1
}

# Instances whose pods can get the role of the node: more than one hop, or requests without a token.
check_instances() {
  # shellcheck disable=SC2016 # Literals of the query.
  ask "whether pods reach the instance metadata" aws ec2 describe-instances \
    --filters "Name=tag-key,Values=kubernetes.io/cluster/$cluster" Name=instance-state-name,Values=pending,running \
    --query 'Reservations[].Instances[?MetadataOptions.HttpEndpoint!=`"disabled"` && (MetadataOptions.HttpTokens!=`"required"` || MetadataOptions.HttpPutResponseHopLimit!=`1`)][].InstanceId' \
    --output text || return
  if [ -z "$answer" ]; then
    ok "pods do not reach the instance metadata"
  else
    fail "pods reach the instance metadata, and with it the AWS role of the node" \
      "Change the launch template (docs/installation.md, Instance metadata)," "and these instances:" \
      "for instance in $(tr '\t\n' '  ' <<<"$answer" | sed 's/ *$//'); do aws ec2 modify-instance-metadata-options --region $region --http-tokens required --http-put-response-hop-limit 1 --instance-id \$instance; done"
  fi
}

request_command() {
  local name separator="--subject-alternative-names "
  printf "aws acm request-certificate --region %s --validation-method DNS --domain-name '%s'" "$region" "${names[0]}"
  for name in ${names[@]+"${names[@]:1}"}; do
    printf " %s'%s'" "$separator" "$name"
    separator=''
  done
}
# Adds the names of a certificate to issued or requested, or sets unknown.
check_certificate() { # check_certificate <ARN>
  local status listed
  look_for "which names certificate $1 covers" aws acm describe-certificate --certificate-arn "$1" \
    --query 'Certificate.[Status,SubjectAlternativeNames]' --output text
  case $? in
    1) fail "ACM has no certificate $1" "$trouble" "Correct acm_certificate_arn in the answers." \
      "This lists the certificates of the region:" \
      "aws acm list-certificates --region $region" ;;
    2) unknown=yes ;;
    0)
      read -r status <<<"$answer"
      listed=$(tail -n +2 <<<"$answer" | tr '\t' '\n')
      if [ "$status" = ISSUED ]; then
        issued=$issued$listed$'\n'
      else
        requested=$requested$listed$'\n'
        fail "certificate $1 is $status, not ISSUED" "ACM issues it when its validation records exist:" \
          "docs/domain-configuration.md (Validate a certificate) has the commands."
      fi
      ;;
  esac
}
# A wildcard covers one label.
covers() { grep -qxF -e "$2" -e "*.${2#*.}" <<<"$1"; } # covers <names> <name>
check_certificates() {
  local arn name issued='' requested='' unknown='' uncovered=''
  if [ -z "${names[*]-}" ]; then
    note "no certificate is needed yet" "No environment runs in this cluster."
    return
  fi
  if [ -z "${certificates[*]-}" ]; then
    note "there is no certificate yet, so no host is reachable from outside" "It must cover: ${names[*]}" "Request it:" "$(request_command)" \
      "Then set acm_certificate_arn in the answers:" "docs/domain-configuration.md (Validate a certificate) has the commands."
    return
  fi
  for arn in ${certificates[@]+"${certificates[@]}"}; do check_certificate "$arn"; done
  for name in ${names[@]+"${names[@]}"}; do
    if covers "$issued" "$name"; then
      ok "an issued certificate covers $name"
    elif ! covers "$requested" "$name" && [ -z "$unknown" ]; then
      fail "no certificate covers $name" "Found: $(words "$issued")"
      uncovered=yes
    fi
  done
  if [ -n "$uncovered" ]; then
    details "Request a certificate for all names:" "$(request_command)" \
      "Then set acm_certificate_arn in the answers:" "docs/domain-configuration.md (Validate a certificate) has the commands."
  fi
}

check_identity_agent() {
  local what="the EKS Pod Identity agent runs"
  [ -n "${roles[*]-}" ] || return 0
  look_for "whether $what" kubectl get daemonset eks-pod-identity-agent --namespace kube-system --output name
  case $? in
    0) ok "$what" ;;
    1)
      # EKS Auto Mode has its own.
      look_for_auto_mode
      case $? in
        0) ok "$what" ;;
        1) fail "the EKS Pod Identity agent is not installed" "Add-ons get their AWS role from it. Install it:" \
          "aws eks create-addon --cluster-name $cluster --region $region --addon-name eks-pod-identity-agent" ;;
      esac
      ;;
  esac
}
# Sets answer to the id of the association, or to nothing.
association() { # association <namespace>/<service account>
  aws eks list-pod-identity-associations --cluster-name "$cluster" \
    --namespace "${1%/*}" --service-account "${1#*/}" --query 'associations[0].associationId' --output text
}
check_roles() {
  local name
  for name in ${roles[@]+"${roles[@]}"}; do
    ask "whether ${name#*/} has an AWS role" association "$name" || continue
    if [ -n "$answer" ]; then
      ok "${name#*/} has an AWS role"
    else
      missing "service account $name has no AWS role" "docs/installation.md (AWS roles) has the commands."
    fi
  done
}

# The keys in AWS Secrets Manager that ExternalSecrets of this cluster read.
secret_keys() {
  local environment
  [ -d "$root/apps/platform/external-secrets/clusters/$cluster" ] || return
  for environment in ${environments[@]+"${environments[@]}"}; do
    keys_in "$root"/apps/workloads/*/overlays/"$environment"/*.yaml
  done
  keys_in "$root"/apps/platform/*/clusters/"$cluster"/*.yaml
}
# Prints the keys in data and dataFrom of the ExternalSecrets in files.
keys_in() { # keys_in <file...>
  local file
  for file in "$@"; do
    if [ -f "$file" ]; then cat "$file" && echo ---; fi
  done | awk '
    /^---/ { if (kind == "ExternalSecret") printf "%s", keys; kind = keys = part = "" }
    /^kind:/ { kind = $2 }
    /^  [A-Za-z]+:/ { part = $1 }
    (part == "data:" || part == "dataFrom:") && match($0, /(^|[ {])key: */) {
      key = substr($0, RSTART + RLENGTH)
      gsub(/[ ,}].*$|["\047]/, "", key)
      keys = keys key "\n"
    }' | sort -u
}
# Whether the secrets exist. Their values are not read.
check_secrets() {
  local key
  while read -r key; do
    [ -n "$key" ] || continue
    look_for "whether Secrets Manager has $key" aws secretsmanager describe-secret --secret-id "$key" --query DeletedDate --output text
    case "$?$answer" in
      0) ok "Secrets Manager has $key" ;;
      0*) fail "the secret $key was deleted ($answer)" "Restore it:" "aws secretsmanager restore-secret --region $region --secret-id $key" ;;
      1*) missing "Secrets Manager has no $key" "Pods that need it do not start." "docs/operations.md (Give a workload a secret) has the command." ;;
    esac
  done <<<"$(secret_keys)"
}
