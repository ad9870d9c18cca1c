// Package ext is Traefik's extension point, empty: Traefik's own go.mod replaces it by a folder, which no other module can.
package ext

type HTTP struct{}

type Router struct{}
