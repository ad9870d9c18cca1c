"""Read this repository as Argo CD does: its Applications, and the objects that each of them builds.

The rules are those of Argo CD (https://argo-cd.readthedocs.io). Kustomize and Helm render the objects. No cluster is
contacted.
"""
