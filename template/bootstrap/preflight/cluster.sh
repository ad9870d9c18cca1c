# shellcheck shell=bash disable=SC2034,SC2154 # preflight.sh sources this file and sets the variables.
# Checks of bootstrap/preflight.sh: the tools, the access to the cluster, and what runs in it.

check_tools() {
  local tool link result=0
  for tool in kubectl aws curl; do
    case "$tool" in
      kubectl) link=https://kubernetes.io/docs/tasks/tools/ ;;
      aws) link=https://docs.aws.amazon.com/cli/latest/userguide/getting-started-install.html ;;
      *) link='use the package manager of your system' ;;
    esac
    if [ -n "$(type -P "$tool")" ]; then
      ok "$tool is installed"
    else
      fail "$tool is not installed" "Install it: $link"
      result=1
    fi
  done
  return "$result"
}

# docs/installation.md has every command name its context, so the context must lead to this cluster.
check_context() {
  local server fix="aws eks update-kubeconfig --name $cluster --region $region --alias $cluster"
  ask "which contexts kubectl has" kubectl config view --output \
    'jsonpath={range .contexts[*]}{"context "}{.name}{" "}{.context.cluster}{"\n"}{end}{range .clusters[*]}{"cluster "}{.name}{" "}{.cluster.server}{"\n"}{end}' || return
  server=$(awk -v name="$cluster" '$1 == "context" && $2 == name { entry = $3 } $1 == "cluster" && $2 == entry { print $3 }' <<<"$answer")
  if [ -z "$server" ]; then
    fail "kubectl has no context $cluster" "Create it:" "$fix"
  elif [ "$server" != "$endpoint" ]; then
    fail "kubectl's context $cluster is another cluster" "It leads to $server," "but the endpoint of $cluster is $endpoint. Correct the context:" "$fix"
  else
    ok "kubectl's context $cluster is this cluster"
    return 0
  fi
  return 1
}

check_reachable() {
  ask "whether you have access to the API server of $cluster" kubectl version --output yaml || return
  running=$(awk '/^serverVersion:/ { server = 1 } server && $1 == "gitVersion:" { print $2; exit }' <<<"$answer")
  running=${running#v}
  ok "the API server of $cluster responds"
}
check_version() {
  local minor
  minor=$(cut -d. -f1,2 <<<"$running")
  if [ "$minor" = "$version" ]; then
    ok "Kubernetes is $version"
  else
    fail "Kubernetes is ${minor:-unknown}, but the answers have $version" \
      "Set kubernetes_version: \"$minor\" in the answers, or upgrade the cluster." \
      "docs/operations.md (Change an answer) has the commands."
  fi
}

checksum() { if command -v sha256sum >/dev/null; then sha256sum; else shasum -a 256; fi; }
manifest_checksum() (
  set -o pipefail
  folder=$root/bootstrap/argocd
  if [ -f "$folder/install.yaml" ]; then
    checksum <"$folder/install.yaml"
  else
    url=$(sed -n 's|^ *- \(https://raw\.githubusercontent\.com/argoproj/argo-cd/.*/install\.yaml\)$|\1|p' "$folder/kustomization.yaml")
    curl --fail --silent --show-error --location --proto '=https' --connect-timeout 10 "$url" | checksum
  fi
)
check_manifest() {
  local recorded
  read -r recorded _ <"$root/bootstrap/argocd/checksums.txt"
  ask "the checksum of Argo CD's manifest" manifest_checksum || return
  if [ "${answer%% *}" = "$recorded" ]; then
    ok "Argo CD's manifest has its recorded checksum"
  else
    fail "Argo CD's manifest is not the one that was reviewed" "Its checksum is ${answer%% *}," \
      "the recorded one is $recorded." \
      "Do not bootstrap." "Compare bootstrap/argocd/checksums.txt with the release:" \
      "docs/operations.md (Check what is downloaded) has the commands."
  fi
}

check_network_policy() {
  local what="the VPC CNI enforces network policies"
  look_for "whether $what" kubectl get daemonset aws-node --namespace kube-system --output yaml
  case $? in
    0) case "$answer" in *--enable-network-policy=true*) ok "$what" && return ;; esac ;;
    2) return ;;
  esac
  look_for "whether $what" kubectl get configmap amazon-vpc-cni --namespace kube-system --output yaml
  case $? in
    0) case "$answer" in *'enable-network-policy-controller: "true"'*) ok "$what" && return ;; esac ;;
    2) return ;;
  esac
  fail "the VPC CNI does not enforce network policies" \
    "Until it does, every pod reaches every other pod." "docs/installation.md (Network policies) has the command."
}

# Returns as look_for does.
look_for_auto_mode() { look_for "whether EKS Auto Mode is on" kubectl get --raw /apis/eks.amazonaws.com/v1; }

check_load_balancer() {
  case "$load_balancer" in
    eks-auto-mode)
      look_for_auto_mode
      case $? in
        0) ok "EKS Auto Mode is on" ;;
        1) fail "EKS Auto Mode is off, but the answers have load_balancer: eks-auto-mode" \
          "Enable it with its load balancing, or change the answer load_balancer." ;;
      esac
      ;;
    legacy)
      ask "whether the AWS Load Balancer Controller takes over Services" kubectl get mutatingwebhookconfigurations --output yaml || return
      case "$answer" in
        *mservice.elbv2.k8s.aws*)
          fail "the AWS Load Balancer Controller takes over Services" \
            "The answers have load_balancer: legacy." "Set its value enableServiceMutatorWebhook: false, or change load_balancer."
          ;;
        *) ok "no controller takes over Services" ;;
      esac
      ;;
  esac
}

check_brought() {
  local name
  for name in ${brought[@]+"${brought[@]}"}; do
    case "$name" in
      metrics-server)
        look_for "whether the metrics API responds" kubectl get --raw /apis/metrics.k8s.io/v1beta1
        case $? in
          0) ok "the metrics API responds" ;;
          1) fail "the cluster has no metrics API" \
            "Without it, applications with an autoscaler are Degraded." "docs/installation.md (Metrics) has the command." ;;
        esac
        ;;
      aws-load-balancer-controller)
        look_for "whether the AWS Load Balancer Controller runs" kubectl get deployment aws-load-balancer-controller \
          --namespace kube-system --output 'jsonpath={.status.readyReplicas}'
        case "$?$answer" in
          1*) fail "kube-system has no AWS Load Balancer Controller" \
            "Traefik needs it for its load balancer." "docs/installation.md (Load balancers) explains how to install it." ;;
          0 | 00) fail "the AWS Load Balancer Controller has no ready pod" \
            "kubectl --context $cluster describe pods --namespace kube-system --selector app.kubernetes.io/name=aws-load-balancer-controller" ;;
          0*) ok "the AWS Load Balancer Controller runs" ;;
        esac
        ;;
    esac
  done
}

# The cluster-wide objects in answer that match a pattern and are not Argo CD's: those of an EKS add-on or of Helm.
foreign() { # foreign <add-on> <pattern...>
  local kind name by pattern addon=$1
  shift
  while read -r kind name by; do
    for pattern in "$@"; do
      # shellcheck disable=SC2254 # It is a pattern.
      case "$kind/$name" in
        $pattern)
          [ "${by%%:*}" = "$addon-$cluster" ] || echo "$kind $name"
          break
          ;;
      esac
    done
  done <<<"$answer"
}
check_installed() {
  local line words others definitions fix
  ask "whether something else installed the add-ons" kubectl get --no-headers --output \
    'custom-columns=KIND:.kind,NAME:.metadata.name,BY:.metadata.annotations.argocd\.argoproj\.io/tracking-id' \
    apiservices,clusterroles,clusterrolebindings,customresourcedefinitions,mutatingwebhookconfigurations,validatingwebhookconfigurations || return
  # Argo CD has installed the platform: step 3 is over.
  case "$answer" in *" traefik-$cluster:"*) step=3 ;; esac
  for line in ${installed[@]+"${installed[@]}"}; do
    read -ra words <<<"$line"
    others=$(foreign ${words[@]+"${words[@]}"})
    definitions=$(grep '^CustomResourceDefinition ' <<<"$others")
    others=$(grep -v '^CustomResourceDefinition ' <<<"$others" | paste -sd, -)
    case " $providable " in
      *" ${words[0]} "*) fix="Add it to provides of cluster $cluster in the answers, or uninstall it." ;;
      *) fix="Uninstall it." ;;
    esac
    if [ -n "$others" ]; then
      fail "something else installed ${words[0]}" "Argo CD would overwrite $others." "$fix"
      continue
    fi
    ok "nothing else installed ${words[0]}"
    if [ -n "$definitions" ]; then
      note "definitions of ${words[0]} exist already" \
        "Argo CD takes them over: $(cut -d' ' -f2 <<<"$definitions" | paste -sd' ' -)" "If the program that uses them still runs, uninstall it."
    fi
  done
}

check_repository() {
  [ "$reads_repository" = yes ] || return 0
  ask "whether Argo CD has credentials for the repository" kubectl get secrets --namespace argocd \
    --selector argocd.argoproj.io/secret-type=repository --output name || return
  if [ -n "$answer" ]; then
    ok "Argo CD has credentials for the repository"
  else
    missing "Argo CD has no credentials for the repository" "docs/installation.md (Repository credentials) has the commands."
  fi
}
