// Modules that the tests only read files from: CRDs, install manifests, charts. Nothing here is built, and nothing imported: do not tidy.
module data

go 1.27.3

require (
	github.com/argoproj/argo-cd/v3 v3.6.1
	github.com/traefik/traefik/v3 v3.7.11
	sigs.k8s.io/descheduler v0.35.1
	sigs.k8s.io/external-dns v0.23.0
)
