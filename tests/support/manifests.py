"""Manifests for Argo CD to build: ordinary objects, and common mistakes."""

from __future__ import annotations

import json

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

NAMESPACE = "shop-dev"

names = st.sampled_from(["a", "b", "c", "d"])
# Texts that YAML 1.1, YAML 1.2, Go and Python parse differently.
scalars = st.sampled_from(
    [
        *("1", "1.0", "1.10", "1e3", "0x1F", "0o17", "017", "08", "1_000", "12:30", "2024-01-31", "2024-99-99", ".5"),
        *("+1", "yes", "y", "N", "on", "Off", "true", "~", "null", "''", "'1'", "=", "<<", ".inf", "!!str 1", "1.2.3"),
        *("🙂", "18446744073709551616", "-0b11", "-.5e-3", "1e30"),
    ]
)
keys = st.sampled_from(["a", "1", "yes", "1.5", "'2'", "y"])


def item(kind: str, name: str, *lines: str, version: str = "v1", metadata: tuple[str, ...] = ()) -> str:
    indented = "".join(f"  {line}\n" for line in (f"name: {name}", *metadata) if line)
    return f"apiVersion: {version}\nkind: {kind}\nmetadata:\n{indented}" + "".join(f"{line}\n" for line in lines)


def config_map(name: str, key: str, value: str) -> str:
    return item("ConfigMap", name, "data:", f"  {key}: {value}")


def _deployment(name: str, namespace: str) -> str:
    container = "{name: c, image: 'shop:1', env: [{name: A, valueFrom: {configMapKeyRef: {name: made, key: x}}}]}"
    labels = f"{{app: {name}}}"
    return item(
        *("Deployment", name, "spec:", "  replicas: 1", f"  selector: {{matchLabels: {labels}}}"),
        f"  template: {{metadata: {{labels: {labels}}}, spec: {{containers: [{container}]}}}}",
        version="apps/v1",
        metadata=(namespace,),
    )


placed = st.sampled_from(["", "", "namespace: other", f"namespace: {NAMESPACE}"])
ORDINARY = [
    st.builds(config_map, names, st.just("x"), st.just("one")),
    st.builds(lambda name, value: item("Widget", name, f"spec: {{x: {value}}}", version="acme.io/v1"), names, scalars),
    st.builds(_deployment, names, placed),
    st.builds(lambda name, place: item("Service", name, "spec: {}", metadata=(place,)), names, placed),
    st.builds(lambda name: item("Secret", name, "stringData: {p: q}", "data: {a: Yg==}"), names),
    st.builds(
        lambda name, place: (
            item("ClusterRole", name, "rules: []", version="rbac.authorization.k8s.io/v1")
            if not place
            else item("Namespace", name, metadata=(place,))
        ),
        *(names, placed),
    ),
    st.builds(
        lambda name, hook: item("Job", name, "spec: {}", version="batch/v1", metadata=(f"annotations: {{{hook}}}",)),
        *(
            names,
            st.sampled_from(
                ["argocd.argoproj.io/hook: PreSync", "helm.sh/hook: test", "argocd.argoproj.io/hook: Skip"]
            ),
        ),
    ),
]
UNUSUAL = [
    st.builds(config_map, names, keys, scalars),
    st.just("apiVersion: batch/v1\nkind: Job\nmetadata:\n  generateName: run-\nspec: {}\n"),
    st.builds(
        lambda kind, items: f"apiVersion: v1\nkind: {kind}\nitems: {items}\n",
        st.sampled_from(["List", "ConfigMapList", "Widget"]),
        st.sampled_from(
            ["[]", "null", "{}", "[{apiVersion: v1, kind: ConfigMap, metadata: {name: l}}]", "[{metadata: {name: l}}]"]
        ),
    ),
    st.sampled_from(
        [
            *("", "# a comment\n", "null\n", "{}\n", "replicas: 3\n", "- a\n", "text\n", "a: [\n", "a: b: c\n"),
            *("kind: ConfigMap\nmetadata: {name: a}\n", "apiVersion: v1\nmetadata: {name: a}\n", "kind: {a: b}\n"),
            *("apiVersion: v1\nkind: ConfigMap\n", "apiVersion: v1\nkind: ConfigMap\nmetadata: [\n"),
            *("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: 1}\n", "a: 1\na: 2\n"),
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: m, labels: {a: 1}}\n",
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: m}\ndata: &d {a: b}\nother: *d\n",
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: m}\ndata: {<<: {a: b}, c: d}\n",
            "# +argocd:skip-file-rendering\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: s}\n",
        ]
    ),
]
documents: SearchStrategy[str] = st.one_of(*ORDINARY * 9, *UNUSUAL)
manifests = st.lists(documents, min_size=1, max_size=2).map("---\n".join)
valid_json = {"apiVersion": "v1", "kind": "Widget", "metadata": {"name": "j"}, "spec": {"x": 1.0, "y": 1e30, "z": "1"}}
jsons = st.sampled_from([*[valid_json] * 9, {"some": "settings"}, [valid_json]]).map(json.dumps) | st.just(
    json.dumps(valid_json) + "\n"
)
