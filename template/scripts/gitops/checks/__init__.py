"""The checks of scripts/validate.py. Each is a function with an id and a title, in the module of its topic."""

from gitops.checks.run import all_checks, run
from gitops.checks.types import Check, Repository, Result, State

__all__ = ["Check", "Repository", "Result", "State", "all_checks", "run"]
