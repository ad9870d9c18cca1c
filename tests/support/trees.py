"""Generate trees for Argo CD to build: every kind of source, mixed, and with common mistakes."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from tests.support.manifests import NAMESPACE, config_map, item, jsons, manifests

# The contents of files by their paths.
Tree = dict[str, str]

WORKLOAD = "apps/workloads/shop"
APPLICATION = f"{WORKLOAD}/overlays/dev"
NAMES = ("kustomization.yaml", "kustomization.yml", "Kustomization")

FIELDS: dict[str, SearchStrategy[Any]] = {
    "namespace": st.sampled_from([NAMESPACE, "other"]),
    "namePrefix": st.just("p-"),
    "nameSuffix": st.just("-s"),
    "commonLabels": st.just({"team": "x"}),
    "labels": st.just([{"pairs": {"team": "y"}, "includeSelectors": True}]),
    "commonAnnotations": st.just({"by": "us"}),
    "images": st.just([{"name": "shop", "newTag": "2"}, {"name": "absent", "newTag": "1.10"}]),
    "replicas": st.just([{"name": "a", "count": 3}]),
    "patches": st.sampled_from(
        [
            [{"path": "patch.yaml"}],
            [{"target": {"kind": "ConfigMap"}, "patch": '[{"op": "add", "path": "/data/p", "value": "1"}]'}],
            [{"patch": "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: a\nspec:\n  replicas: 5\n"}],
            [{"patch": "apiVersion: v1\nkind: Service\nmetadata:\n  name: a\n$patch: delete\n"}],
        ]
    ),
    "patchesStrategicMerge": st.just(["patch.yaml"]),
    "configMapGenerator": st.sampled_from(
        [
            [{"name": "made", "literals": ["x=1"]}],
            [{"name": "made", "files": ["notes.txt", "as=notes.txt"], "options": {"disableNameSuffixHash": True}}],
            [{"name": "a", "behavior": "merge", "literals": ["more=1"]}],
            [{"name": "made", "envs": ["notes.txt"]}, {"name": "made", "literals": ["x=1"]}],
        ]
    ),
    "secretGenerator": st.just([{"name": "made", "literals": ["p=q"], "type": "Opaque"}]),
    "generatorOptions": st.just({"labels": {"made": "yes"}}),
    "components": st.just(["../../components/team"]),
    "transformers": st.just(["transformer.yaml"]),
    "replacements": st.just(
        [
            {
                "source": {"kind": "ConfigMap", "name": "a", "fieldPath": "data.x"},
                "targets": [
                    {
                        "select": {"kind": "Service"},
                        "fieldPaths": ["metadata.annotations.x"],
                        "options": {"create": True},
                    }
                ],
            }
        ]
    ),
    "sortOptions": st.just({"order": "legacy"}),
}
BROKEN: list[dict[str, Any]] = [
    *(
        {"resources": ["missing.yaml"]},
        {"resources": ["a.yaml", "a.yaml"]},
        {"resources": None},
        {"resources": "a.yaml"},
    ),
    *({"resource": []}, {"helmCharts": [{"name": "c", "version": "1"}]}, {"kind": "Component"}),
    *(
        {"Resources": []},
        {"components": ["missing"]},
        {"components": ["../../base"]},
        {"bases": ["../../base"]},
        {"namespace": ""},
    ),
]
HELPERS = {
    "notes.txt": "A=1\n",
    "patch.yaml": "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: a\nspec:\n  paused: true\n",
    "transformer.yaml": "apiVersion: builtin\nkind: PrefixTransformer\nmetadata:\n  name: t\nprefix: t-\n"
    "fieldSpecs:\n  - path: metadata/name\n",
}


seldom = st.sampled_from([*[False] * 9, True])


@st.composite
def kustomizations(draw: DrawFn, resources: list[str], kind: str = "Kustomization") -> str:
    """Return a kustomization of some of these resources, with up to three other fields, rarely invalid."""
    content: dict[str, Any] = {"resources": draw(st.lists(st.sampled_from(resources), max_size=2, unique=True))}
    if kind == "Component":
        content = {"apiVersion": "kustomize.config.k8s.io/v1alpha1", "kind": kind}
    for field in draw(st.lists(st.sampled_from(list(FIELDS)), max_size=3, unique=True)):
        content[field] = draw(FIELDS[field])
    if draw(seldom):
        content |= draw(st.sampled_from(BROKEN))
    return f"{json.dumps(content, indent=2)}\n"


@st.composite
def folders(draw: DrawFn) -> Tree:
    """Return the files of a folder of an Application, by names in it."""
    files = {
        name: draw(manifests) for name in draw(st.sets(st.sampled_from(["a.yaml", "b.yml", "sub/c.yaml"]), max_size=3))
    }
    if draw(st.booleans()):
        files["j.json"] = draw(jsons)
    if draw(seldom):
        others = {
            ".hidden.yaml": manifests,
            "d.jsonnet": st.just("{}"),
            "e.yaml.bak": st.just("x"),
            "F.YAML": manifests,
        }
        name = draw(st.sampled_from(list(others)))
        files[name] = draw(others[name])
    return files


CHART = {"apiVersion": "v2", "name": "shop", "version": "1.0.0"}
charts = st.fixed_dictionaries(
    {
        "Chart.yaml": st.sampled_from(
            [*[CHART] * 6, CHART | {"kubeVersion": ">=1.30"}, CHART | {"kubeVersion": "<1.30"}, CHART | {"name": None}]
        ).map(json.dumps),
        "values.yaml": st.sampled_from(["x: 1\n", "x: yes\n", "x: 2024-01-31\n"]),
        "templates/a.yaml": manifests
        | st.sampled_from(
            [
                "apiVersion: v1\nkind: ConfigMap\n"
                "metadata: {name: {{ .Release.Name }}, namespace: {{ .Release.Namespace }}}\n"
                "data: {x: {{ .Values.x | quote }}, v: {{ .Capabilities.KubeVersion.Version }}}\n",
                "{{ .Values.absent.field }}",
                "{{- if .Values.y }}\n" + config_map("when", "y", "'{{ .Values.y }}'") + "{{- end }}\n",
            ]
        ),
        "templates/NOTES.txt": st.just("Installed.\n"),
    },
    optional={
        "templates/tests/t.yaml": st.just(
            item("Pod", "t", "spec: {}", metadata=("annotations: {helm.sh/hook: test}",))
        ),
        "crds/c.yaml": st.just(
            item("CustomResourceDefinition", "w.acme.io", "spec: {}", version="apiextensions.k8s.io/v1")
        ),
        "charts/sub/Chart.yaml": st.just(json.dumps(CHART | {"name": "sub"})),
        "charts/sub/templates/s.yaml": st.just(config_map("sub", "x", "'{{ .Values.x }}'")),
        "values.schema.json": st.sampled_from(['{"properties": {"x": {"type": "string"}}}', "{}"]),
        ".helmignore": st.just("templates/a.yaml\n"),
    },
)
KUSTOMIZE: list[dict[str, Any]] = [*[{"kustomize": {"namespace": NAMESPACE}}] * 3, {}, {"kustomize": {}}]
DIRECTORY: list[dict[str, Any]] = [{}, {"directory": {"recurse": True}}, {"directory": {"recurse": False}}]
HELM: list[dict[str, Any]] = [
    *({}, {"helm": {}}, {"helm": {"valueFiles": ["more.yaml"]}}, {"helm": {"releaseName": "named", "skipCrds": True}}),
    {"helm": {"valueFiles": ["absent.yaml", "../../base/values.yaml"], "ignoreMissingValueFiles": True}},
    {"helm": {"valuesObject": {"x": "of the object", "y": 1}, "valueFiles": ["./more.yaml"]}},
]
BOTH = {"kustomize": {"namespace": NAMESPACE}, "directory": {"recurse": True}}
SHAPES = {
    "kustomization": KUSTOMIZE,
    "directory": DIRECTORY,
    "chart": HELM,
    "mixture": [*KUSTOMIZE, *DIRECTORY, *HELM, BOTH],
    "nothing": [*KUSTOMIZE, *DIRECTORY, *HELM],
}


@st.composite
def trees(draw: DrawFn) -> tuple[dict[str, Any], Tree]:
    """Return the source of an Application, and the files of the repository."""
    folder, shape = draw(folders()), draw(st.sampled_from([*["kustomization"] * 4, *SHAPES, "directory", "chart"]))
    if shape in ("chart", "mixture"):
        folder |= draw(charts)
    if shape in ("kustomization", "mixture"):
        manifest_files = [name for name in folder if name.endswith(("ml", ".json"))]
        for name in draw(st.sampled_from([NAMES[:1]] * 20 + [NAMES[1:2], NAMES[2:], NAMES[:2], NAMES[::2]])):
            folder[name] = draw(kustomizations([*manifest_files, "../../base", "../../base"]))
    if draw(seldom) and draw(seldom):
        folder["zChart.yaml"] = "{}"
    base = {
        "a.yaml": draw(manifests),
        "kustomization.yaml": draw(kustomizations(["a.yaml"])),
        "values.yaml": "x: base\n",
    }
    team = {"kustomization.yaml": draw(kustomizations(["patch.yaml"], "Component"))}
    places = {APPLICATION: HELPERS | {"more.yaml": "y: more\n"} | folder, f"{WORKLOAD}/base": HELPERS | base}
    places[f"{WORKLOAD}/components/team"] = HELPERS | team
    return draw(st.sampled_from(SHAPES[shape])), {
        f"{at}/{name}": text for at, tree in places.items() for name, text in tree.items()
    }
