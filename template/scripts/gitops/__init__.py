"""Read this repository as Argo CD does: its Applications, and the objects that each of them builds.

The rules are Argo CD's own (https://argo-cd.readthedocs.io). Kustomize and Helm build. No cluster is contacted.
"""
