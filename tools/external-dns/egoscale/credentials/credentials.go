// Package credentials is part of the stand-in for a client that the tests never call.
package credentials

type Credentials struct{}

func NewStaticCredentials(string, string) *Credentials { return nil }
