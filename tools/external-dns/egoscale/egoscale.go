// Package v3 stands in for Exoscale's client, the one dependency of external-dns that not every module proxy serves. It
// has the types that external-dns' provider of that name is compiled with, and no client: the tests use other providers.
package v3

import (
	"context"
	"errors"

	"github.com/exoscale/egoscale/v3/credentials"
)

type (
	Client                           struct{}
	ClientOpt                        func()
	CreateDNSDomainRecordRequestType string
	DNSDomainRecordType              string
	Endpoint                         string
	Operation                        struct{}
	OperationState                   string
	UUID                             string

	DNSDomain struct {
		ID          UUID
		UnicodeName string
	}
	ListDNSDomainsResponse struct {
		DNSDomains []DNSDomain
	}
	DNSDomainRecord struct {
		ID      UUID
		Name    string
		Type    DNSDomainRecordType
		Content string
		Ttl     int64
	}
	ListDNSDomainRecordsResponse struct {
		DNSDomainRecords []DNSDomainRecord
	}
	CreateDNSDomainRecordRequest struct {
		Name    string
		Type    CreateDNSDomainRecordRequestType
		Content string
		Ttl     int64
	}
	UpdateDNSDomainRecordRequest struct {
		Content string
		Ttl     int64
	}
)

const OperationStateSuccess OperationState = "success"

var errAbsent = errors.New("built without Exoscale's client")

func (id UUID) String() string { return string(id) }

func ClientOptWithEndpoint(Endpoint) ClientOpt { return func() {} }

func NewClient(*credentials.Credentials, ...ClientOpt) (*Client, error) { return nil, errAbsent }

func (*Client) ListDNSDomains(context.Context) (*ListDNSDomainsResponse, error) {
	return nil, errAbsent
}

func (*Client) ListDNSDomainRecords(context.Context, UUID) (*ListDNSDomainRecordsResponse, error) {
	return nil, errAbsent
}

func (*Client) CreateDNSDomainRecord(context.Context, UUID, CreateDNSDomainRecordRequest) (*Operation, error) {
	return nil, errAbsent
}

func (*Client) DeleteDNSDomainRecord(context.Context, UUID, UUID) (*Operation, error) {
	return nil, errAbsent
}

func (*Client) UpdateDNSDomainRecord(context.Context, UUID, UUID, UpdateDNSDomainRecordRequest) (*Operation, error) {
	return nil, errAbsent
}

func (*Client) Wait(context.Context, *Operation, ...OperationState) (*Operation, error) {
	return nil, errAbsent
}
