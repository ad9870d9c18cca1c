// What Argo CD calls of Jsonnet, which the tests do not render: its parser alone takes half a minute to compile.
module github.com/google/go-jsonnet

go 1.27.3
