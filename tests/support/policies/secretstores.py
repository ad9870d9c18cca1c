"""ExternalSecrets and stores that the admission policies accept and reject."""

from __future__ import annotations

from typing import Any

from tests.support.policies.objects import Object, Violation

KIND = "externalsecrets"
# The part of the operator's definition that an API server needs to accept such objects.
DEFINITION: Object = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": f"{KIND}.external-secrets.io"},
    "spec": {
        "group": "external-secrets.io",
        "scope": "Namespaced",
        "names": {"kind": "ExternalSecret", "plural": KIND},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
            }
        ],
    },
}


def accepted(domain: str) -> list[Object]:
    """Return objects that no policy rejects, in the environment dev."""
    return [
        secret(),
        # As the template renders it.
        rendered("db"),
        rendered("registry.acme", type="kubernetes.io/dockerconfigjson", data={".dockerconfigjson": "{{ .auths }}"}),
        secret(secretStoreRef={"kind": "ClusterSecretStore", "name": "dev"}, refreshInterval="0s"),
        secret(
            secretStoreRef={"name": "vault"}, data=[{"secretKey": "a", "remoteRef": {"key": "/dev/WORKLOAD/a.b/c"}}]
        ),
        secret(
            dataFrom=[
                {"extract": {"key": "dev/WORKLOAD/db"}, "sourceRef": {"storeRef": {"name": "vault"}}},
                {"find": {"path": "dev/WORKLOAD/", "name": {"regexp": "^db-"}}, "rewrite": []},
                {"sourceRef": {"generatorRef": {"kind": "Password", "name": "random"}}},
            ],
            target={
                "name": "tool",
                "creationPolicy": "Merge",
                "deletionPolicy": "Retain",
                "template": {
                    "type": "kubernetes.io/tls",
                    "metadata": {"labels": {"a": "b"}},
                    "templateFrom": [{"target": "Annotations", "literal": "a: b"}],
                },
            },
        ),
    ]


def violations(domain: str) -> dict[str, Violation]:
    """Return one violation of each rule, in the environment dev."""
    return {
        f"an ExternalSecret: {what}": Violation(item, "workload-secret-stores", message)
        for message, items in SECRETS.items()
        for what, item in items.items()
    }


def secret(**spec: Any) -> Object:
    """An ExternalSecret."""
    one = {"secretKey": "password", "remoteRef": {"key": "dev/WORKLOAD/db", "property": "password"}}
    spec = {"secretStoreRef": {"kind": "ClusterSecretStore", "name": "aws-dev"}, "data": [one]} | spec
    return {
        "apiVersion": "external-secrets.io/v1",
        "kind": "ExternalSecret",
        "metadata": {"name": "tool"},
        "spec": spec,
    }


def rendered(name: str, workload: str = "WORKLOAD", **template: Any) -> Object:
    """An ExternalSecret as the template renders it."""
    metadata = {"labels": {"app.kubernetes.io/part-of": workload}}
    target = {"creationPolicy": "Orphan", "deletionPolicy": "Retain", "template": template | {"metadata": metadata}}
    store = {"kind": "ClusterSecretStore", "name": "dev"}
    sources = [{"extract": {"key": f"dev/{workload}/{name}"}}]
    item = secret(refreshInterval="1h", secretStoreRef=store, target=target, dataFrom=sources, data=[])
    return item | {"metadata": {"name": name}}


def _from(key: str) -> Object:
    return secret(data=[{"secretKey": "a", "remoteRef": {"key": key}}])


def _source(**source: Object) -> Object:
    return secret(data=[{"secretKey": "a", "remoteRef": {"key": "dev/WORKLOAD/a"}, "sourceRef": source}])


_PROD = {"kind": "ClusterSecretStore", "name": "aws-prod"}
SECRETS: dict[str, dict[str, Object]] = {
    "name a ClusterSecretStore of the environment": {
        "the store of another environment": secret(secretStoreRef=_PROD),
        "a store of all environments": secret(secretStoreRef={"kind": "ClusterSecretStore", "name": "aws"}),
        "the store of the platform": secret(secretStoreRef={"kind": "ClusterSecretStore", "name": "platform"}),
        "a store that ends alike": secret(secretStoreRef={"kind": "ClusterSecretStore", "name": "xdev"}),
        "a store of another environment for one value": _source(storeRef=_PROD),
        "a store of another environment for a map": secret(
            dataFrom=[{"extract": {"key": "dev/WORKLOAD/a"}, "sourceRef": {"storeRef": _PROD}}]
        ),
    },
    "begin with dev/WORKLOAD/": {
        "a secret of another environment": _from("prod/WORKLOAD/db"),
        "a secret of another workload": _from("dev/other/db"),
        "a secret of a workload that begins alike": _from("dev/WORKLOAD2/db"),
        "a secret of nobody": _from("db"),
        "a secret of the platform": _from("platform/main/repository"),
        "what is rendered for another workload": rendered("db", workload="other"),
        "a way up": _from("dev/WORKLOAD/../../prod/WORKLOAD/db"),
        "a pattern": _from("dev/WORKLOAD/*"),
        "no key but the prefix": _from("dev/WORKLOAD"),
        "two lines": _from("dev/WORKLOAD/a\nprod/WORKLOAD/b"),
        "all of another environment": secret(dataFrom=[{"extract": {"key": "prod/WORKLOAD/db"}}]),
        "whatever is found": secret(dataFrom=[{"find": {"name": {"regexp": ".*"}}}]),
        "what is found by its tags": secret(dataFrom=[{"find": {"tags": {"environment": "prod"}}}]),
        "what is found elsewhere": secret(dataFrom=[{"find": {"path": "prod/", "name": {"regexp": ".*"}}}]),
        "what is found beside": secret(dataFrom=[{"find": {"path": "dev/WORKLOAD", "name": {"regexp": ".*"}}}]),
    },
    "generatorRef must be of kind": {
        "a generator of the cluster": _source(generatorRef={"kind": "ClusterGenerator", "name": "x"}),
        "a token of AWS": secret(
            dataFrom=[{"sourceRef": {"generatorRef": {"kind": "STSSessionToken", "name": "x"}}}],
        ),
    },
    "may have only": {
        "a map from nowhere": secret(dataFrom=[{"rewrite": []}]),
        "a source from nowhere": secret(dataFrom=[{"sourceRef": {"storeRef": {"name": "vault"}}}]),
        "a field of a later version": secret(provider={"aws": {}}),
    },
    "refreshInterval must be 0": {
        "every second": secret(refreshInterval="1s"),
        "all the time": secret(refreshInterval="-1h"),
    },
    "target may have only creationPolicy": {
        "a Secret that others fill too": secret(target={"creationPolicy": "CreateOrMerge"}),
        "an object of another kind": secret(target={"manifest": {"apiVersion": "v1", "kind": "ConfigMap"}}),
    },
    "target.template.type must be one of": {
        "a token of a service account": secret(target={"template": {"type": "kubernetes.io/service-account-token"}}),
        "a token that joins nodes": secret(target={"template": {"type": "bootstrap.kubernetes.io/token"}}),
        "a finalizer": secret(target={"template": {"metadata": {"finalizers": ["example.com/never"]}}}),
        "an owner": secret(target={"template": {"metadata": {"ownerReferences": []}}}),
        "another field of the Secret": secret(
            target={"template": {"templateFrom": [{"target": "type", "literal": "a"}]}}
        ),
    },
}
