"""An installed engine of the pinned version is copied; others are built from reduced source."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import cuts
from tools.installed import copy_installed
from tools.modules import packages

PACKAGE = "helm.sh/helm/v4/cmd/helm"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of tools/ that pins Helm."""
    (tmp_path / "go.mod").write_text(f"module tools\n\ntool {PACKAGE}\n\nrequire (\n\thelm.sh/helm/v4 v4.3.1\n)\n")
    return tmp_path


def install(program: Path, output: str) -> None:
    """Write a program that prints a version."""
    program.parent.mkdir(parents=True, exist_ok=True)
    program.write_text(f"#!/bin/sh\necho '{output}'\n")
    program.chmod(0o755)


def test_a_program_of_the_pinned_version_is_copied(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(folder / "bin/helm", "v4.3.1+g1234567")
    monkeypatch.setenv("PATH", str(folder / "bin"))
    assert packages(folder) == [PACKAGE]
    assert copy_installed(PACKAGE, folder, folder)
    assert (folder / "helm").read_bytes() == (folder / "bin/helm").read_bytes()


@pytest.mark.parametrize("output", ["v4.3.10", "v14.3.1", "v4.3.1-rc.1", "v3.19.0", ""])
def test_a_program_of_another_version_is_built(folder: Path, monkeypatch: pytest.MonkeyPatch, output: str) -> None:
    install(folder / "bin/helm", output)
    monkeypatch.setenv("PATH", f"{folder}/bin:/usr/bin:/bin")
    assert not copy_installed(PACKAGE, folder, folder)
    assert not (folder / "helm").exists()


def test_a_program_that_mise_installed_is_copied(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(folder / "installs/helm-4.3.1/linux-amd64/helm", "v4.3.1")
    install(folder / "bin/mise", str(folder / "installs/helm-4.3.1"))
    monkeypatch.setenv("PATH", str(folder / "bin"))
    assert copy_installed(PACKAGE, folder, folder)
    assert (folder / "helm").exists()


def test_a_link_to_mise_is_not_a_program(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(folder / "bin/mise", "v4.3.1")
    (folder / "bin/helm").symlink_to("mise")
    monkeypatch.setenv("PATH", str(folder / "bin"))
    assert not copy_installed(PACKAGE, folder, folder)


def test_a_cut_deletes_what_matches(tmp_path: Path) -> None:
    source = tmp_path / "providers.go"
    source.write_text('import (\n\t"a/aws"\n\t"a/memory"\n)\n')
    cuts.cut(source, [r'^\t"a/(?!memory).*\n'])
    assert source.read_text() == 'import (\n\t"a/memory"\n)\n'


def test_a_cut_that_matches_nothing_is_an_error(tmp_path: Path) -> None:
    source = tmp_path / "providers.go"
    source.write_text("package providers\n")
    with pytest.raises(SystemExit, match="matches nothing"):
        cuts.cut(source, ["aws"])
