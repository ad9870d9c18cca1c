// Package k8smanifest has the types that Kyverno's API is made of, and verifies nothing: the tests evaluate no policy about signed manifests.
package k8smanifest

import (
	"crypto/x509"
	"errors"
	"fmt"
)

type ObjectReference struct {
	Group     string `json:"group,omitempty"`
	Version   string `json:"version,omitempty"`
	Kind      string `json:"kind,omitempty"`
	Name      string `json:"name,omitempty"`
	Namespace string `json:"namespace,omitempty"`
}

type ObjectReferenceList []ObjectReference

type ObjectFieldBinding struct {
	Fields  []string            `json:"fields,omitempty"`
	Objects ObjectReferenceList `json:"objects,omitempty"`
}

type SignerList []string

type AnnotationConfig struct{ AnnotationKeyDomain string }

type VerifyResourceOption struct {
	AnnotationConfig
	IgnoreFields      []ObjectFieldBinding
	Signers           SignerList
	DisableDryRun     bool
	DryRunNamespace   string
	ResourceBundleRef string
	KeyPath           string
	Certificate       string
	CertificateChain  string
	RekorURL          string
	OIDCIssuer        string
	RootCerts         *x509.CertPool
}

type difference struct{ fmt.Stringer }

func (difference) Size() int { return 0 }

type VerifyResourceResult struct {
	Verified bool
	Signer   string
	Diff     *difference
}

func AddDefaultConfig(option *VerifyResourceOption) *VerifyResourceOption { return option }

func VerifyResource(any, *VerifyResourceOption) (*VerifyResourceResult, error) {
	return nil, errors.ErrUnsupported
}

func IsSignatureNotFoundError(error) bool { return false }

func IsMessageNotFoundError(error) bool { return false }
