// Package notary verifies nothing: the tests evaluate no policy about signatures of images.
package notary

import (
	"context"
	"errors"

	"github.com/kyverno/kyverno/pkg/image/verifiers"
)

type verifier struct{}

func NewVerifier() verifiers.ImageVerifier { return verifier{} }

func (verifier) VerifySignature(context.Context, verifiers.Options) (*verifiers.Response, error) {
	return nil, errors.ErrUnsupported
}

func (verifier) FetchAttestations(context.Context, verifiers.Options) (*verifiers.Response, error) {
	return nil, errors.ErrUnsupported
}
