// Package cosign verifies nothing: the tests evaluate no policy about signatures of images.
package cosign

import (
	"context"
	"errors"

	"github.com/go-logr/logr"
	"github.com/kyverno/api/api/policies.kyverno.io/v1beta1"
	"github.com/kyverno/sdk/extensions/imagedataloader"
	"k8s.io/client-go/listers/core/v1"
)

type Verifier struct{}

func NewVerifier(v1.SecretLister, logr.Logger) *Verifier { return &Verifier{} }

func (*Verifier) VerifyImageSignature(context.Context, *imagedataloader.ImageData, *v1beta1.Attestor) error {
	return errors.ErrUnsupported
}

func (*Verifier) VerifyAttestationSignature(
	context.Context, *imagedataloader.ImageData, *v1beta1.Attestation, *v1beta1.Attestor,
) error {
	return errors.ErrUnsupported
}
