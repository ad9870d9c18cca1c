// Package notary verifies nothing: the tests evaluate no policy about signatures of images.
package notary

import (
	"context"
	"errors"

	"github.com/go-logr/logr"
	"github.com/kyverno/sdk/extensions/imagedataloader"
)

type Verifier struct{}

func NewVerifier(logr.Logger) *Verifier { return &Verifier{} }

func (*Verifier) VerifyImageSignature(_ context.Context, _ *imagedataloader.ImageData, certificates, stamps string) error {
	return errors.ErrUnsupported
}

func (*Verifier) VerifyAttestationSignature(
	_ context.Context, _ *imagedataloader.ImageData, kind, certificates, stamps string,
) error {
	return errors.ErrUnsupported
}
