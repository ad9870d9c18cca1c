"""Check that projects admit what their applications build."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from gitops.checks.types import NothingToCheckError, Repository, check
from gitops.objects import Object
from gitops.projects import as_yaml, missing_entries


@check("projects", "Projects admit what their applications build")
def projects(repository: Repository) -> Iterator[str]:
    """Find what Argo CD would reject after the merge, and print the lines that the project lacks."""
    if not repository.applications:
        raise NothingToCheckError(repository.without_applications)
    objects = [item for item in repository.tree.root_objects if item.get("kind") == "AppProject"]
    specs: dict[str, Object] = {}
    for item in objects:
        project_name = item["metadata"]["name"]
        if project_name in specs:
            yield f"two projects have the name {project_name}: rename the add-on or the environment"
        if isinstance(item.get("spec"), dict):
            specs[project_name] = item["spec"]
    crds = repository.crds
    users: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for application in repository.applications:
        name = application.spec["project"]
        if name not in specs:
            yield f"{application.name}: argo/projects has no project {name} with a spec: restore it from Git, or add it"
            continue
        items = repository.objects_of(application)
        for section, entry in missing_entries(specs[name], application, items, crds):
            users[name, section, as_yaml(entry)].append(application.name)
    blocks: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for (project, section, lines), names in users.items():
        blocks[project, section, ", ".join(dict.fromkeys(names))].append(lines)
    for (project, section, applications), entries in blocks.items():
        yield "\n".join([f"argo/projects/{project}.yaml: add below spec.{section}, for {applications}:", *entries])
