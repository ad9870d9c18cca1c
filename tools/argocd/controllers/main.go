// The three controllers of Argo CD that GitOps needs, as its own binary starts them: ARGOCD_BINARY_NAME says which one.
// A fourth name generates manifests for a test, without a server.
// The command line, the API server and the web interface are left out, since most of the build time is theirs.
package main

import (
	"fmt"
	"os"

	controller "github.com/argoproj/argo-cd/v3/cmd/argocd-application-controller/commands"
	applicationset "github.com/argoproj/argo-cd/v3/cmd/argocd-applicationset-controller/commands"
	reposerver "github.com/argoproj/argo-cd/v3/cmd/argocd-repo-server/commands"
	"github.com/argoproj/argo-cd/v3/common"
	"github.com/spf13/cobra"
)

func main() {
	commands := map[string]func() *cobra.Command{
		common.CommandApplicationController:    controller.NewCommand,
		common.CommandApplicationSetController: applicationset.NewCommand,
		common.CommandRepoServer:               reposerver.NewCommand,
		"argocd-manifests":                     newManifestsCommand,
	}
	name := os.Getenv("ARGOCD_BINARY_NAME")
	command, known := commands[name]
	if !known {
		fmt.Fprintf(os.Stderr, "ARGOCD_BINARY_NAME=%q is none of the controllers here\n", name)
		os.Exit(2)
	}
	if err := command().Execute(); err != nil {
		os.Exit(1)
	}
}
