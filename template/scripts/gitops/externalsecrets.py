"""Report the work that Secrets of the External Secrets Operator need."""

from __future__ import annotations

from gitops.objects import Object, api_group, mapping, mappings

GROUP, KIND = "external-secrets.io", "ExternalSecret"


def note(effect: str, old: Object | None, new: Object | None, cluster: str) -> str:
    """Return the work by hand for the Secret of a changed ExternalSecret; empty if there is none.

    Args:
        effect: The effect on the object: a field of a Change.
        old: The object before, or None.
        new: The object after, or None.
        cluster: The cluster that it is in.
    """
    item = new or old
    if not item or item["kind"] != KIND or api_group(item) != GROUP:
        return ""
    if new:
        keys = sorted(_keys(new) - (_keys(old) if old else set()))
        return f"first create what does not exist yet: {', '.join(keys)}. Pods wait for their Secrets" if keys else ""
    if effect != "deleted":
        return ""
    target = mapping(mapping(item.get("spec")).get("target"))
    name, namespace = target.get("name") or item["metadata"]["name"], item["metadata"].get("namespace")
    if target.get("creationPolicy", "Owner") == "Owner":
        return f"the Secret {name} is deleted with it. Pods that read it do not start again without it"
    command = f"kubectl --context {cluster} delete secret {name} --namespace {namespace}"
    return f"the Secret {name} stays, with its last values. Delete it once no pod reads it: {command}"


def _keys(item: Object) -> set[str]:
    """Return the names of the secrets that an ExternalSecret reads."""
    spec = mapping(item.get("spec"))
    entries = [entry for field in ("data", "dataFrom") for entry in mappings(spec.get(field))]
    sources = [mapping(entry.get(field)) for entry in entries for field in ("remoteRef", "extract")]
    return {source["key"] for source in sources if isinstance(source.get("key"), str)}
