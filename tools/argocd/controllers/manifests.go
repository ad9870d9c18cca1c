package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/argoproj/argo-cd/v3/controller"
	"github.com/argoproj/argo-cd/v3/pkg/apis/application/v1alpha1"
	"github.com/argoproj/argo-cd/v3/reposerver/apiclient"
	"github.com/argoproj/argo-cd/v3/reposerver/repository"
	apppath "github.com/argoproj/argo-cd/v3/util/app/path"
	"github.com/argoproj/argo-cd/v3/util/argo"
	"github.com/argoproj/argo-cd/v3/util/git"
	utilio "github.com/argoproj/argo-cd/v3/util/io"
	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/kustomize/kyaml/openapi"
	"sigs.k8s.io/kustomize/kyaml/yaml"
)

// A request on one line of the input. The folder is a copy that may be changed, as the repo server changes its own.
type request struct {
	Root        string               `json:"root"`
	Application v1alpha1.Application `json:"application"`
	KubeVersion string               `json:"kubeVersion"`
}

type answer struct {
	Objects []*unstructured.Unstructured `json:"objects"`
	Error   string                       `json:"error"`
}

// Whether a kind belongs to namespaces, by the API description that Kustomize brings.
type scopes map[schema.GroupKind]string

func (s scopes) IsNamespaced(kind schema.GroupKind) (bool, error) {
	namespaced, known := openapi.IsNamespaceScoped(yaml.TypeMeta{APIVersion: s[kind], Kind: kind.Kind})
	if !known {
		return false, errors.New("unknown")
	}
	return namespaced, nil
}

// newManifestsCommand returns a command that generates manifests as the repo server does, and prepares them as the
// application controller does, for one request per line.
func newManifestsCommand() *cobra.Command {
	return &cobra.Command{RunE: func(command *cobra.Command, _ []string) error {
		input := bufio.NewScanner(os.Stdin)
		input.Buffer(nil, 1<<24)
		output := json.NewEncoder(os.Stdout)
		for input.Scan() {
			var asked request
			if err := json.Unmarshal(input.Bytes(), &asked); err != nil {
				return err
			}
			objects, err := manifests(command.Context(), asked)
			given := answer{Objects: objects}
			if err != nil {
				given.Error = err.Error()
			}
			if err := output.Encode(given); err != nil {
				return err
			}
		}
		return input.Err()
	}}
}

func manifests(ctx context.Context, asked request) ([]*unstructured.Unstructured, error) {
	// The controller normalizes an Application before it does anything else.
	spec := argo.NormalizeApplicationSpec(&asked.Application.Spec)
	var objects []*unstructured.Unstructured
	for _, source := range spec.GetSources() {
		folder, err := apppath.Path(asked.Root, source.Path)
		if err != nil {
			return nil, err
		}
		query := &apiclient.ManifestRequest{
			Repo:              &v1alpha1.Repository{Repo: source.RepoURL},
			ApplicationSource: &source,
			AppName:           asked.Application.Name,
			Namespace:         spec.Destination.Namespace,
			KubeVersion:       asked.KubeVersion,
		}
		response, err := repository.GenerateManifests(ctx, folder, asked.Root, "HEAD", query, true,
			git.NoopCredsStore{}, resource.MustParse("10M"), utilio.NewRandomizedTempPaths(asked.Root))
		if err != nil {
			return nil, err
		}
		for _, manifest := range response.Manifests {
			object, err := v1alpha1.UnmarshalToUnstructured(manifest)
			if err != nil {
				return nil, fmt.Errorf("manifest: %w", err)
			}
			objects = append(objects, object)
		}
	}
	versions := scopes{}
	for _, object := range objects {
		kind := object.GroupVersionKind()
		versions[kind.GroupKind()] = kind.GroupVersion().String()
	}
	unchanged := func(*unstructured.Unstructured) error { return nil }
	result, _, err := controller.NormalizeTargetObjects(spec.Destination.Namespace, objects, versions, unchanged)
	return result, err
}
