"""Speed up Copier by caching what it repeats in every run: the tests run it a thousand times in one process.

The result does not change. `test_the_installed_command_renders_the_same` compares it with the command.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType
from typing import Any

import pytest


@contextmanager
def fast_copier() -> Iterator[None]:
    """Make Copier fast in this process."""
    import copier._main  # Takes a second, which xdist's controller does not have to spend.
    import copier._template
    import copier._vcs
    from jinja2 import Environment

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Environment, "compile", _compile_once(Environment.compile))
        patch.setattr(
            copier._template, "load_template_config", _read_settings_once(copier._template.load_template_config)
        )
        patch.setattr(copier._vcs, "is_git_bundle", _is_git_bundle(copier._vcs.is_git_bundle))
        # Has no effect unless Git ignores modes, but runs Git for every file.
        patch.setattr(copier._main.Worker, "_sync_git_index_executable_bit", lambda *_: None)
        yield


def _compile_once(original: Any) -> Any:
    """Return Jinja's `compile` with a cache: compiling takes most of a render, and an update renders three times."""
    codes: dict[tuple[str, str, str | None], CodeType] = {}

    def compile(self: Any, source: Any, name: str | None = None, filename: str | None = None, *options: Any) -> Any:
        key = (source, self.block_start_string, name)
        if options or not isinstance(source, str):
            return original(self, source, name, filename, *options)
        if key not in codes:
            codes[key] = original(self, source, name, filename)
        else:
            self.preprocess(source, name, filename)  # Copier's extension resets its state here.
        return codes[key]

    return compile


def _read_settings_once(original: Any) -> Any:
    """Return Copier's reader of copier.yml with a cache."""
    settings: dict[bytes, Any] = {}

    def load_template_config(path: Path, quiet: bool = False) -> Any:
        text = path.read_bytes()
        if text not in settings:
            settings[text] = original(path, quiet)
        return copy.deepcopy(settings[text])

    return load_template_config


def _is_git_bundle(original: Any) -> Any:
    """Return a cached version of Copier's test for Git bundles, which creates a repository for each folder."""
    return lambda path: path.is_file() and original(path)
