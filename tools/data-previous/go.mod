// The Argo CD before, for the drill of an upgrade: only its install manifest is read. Nothing here is built: do not tidy.
module data-previous

go 1.27.3

require github.com/argoproj/argo-cd/v3 v3.5.7
