"""docs/installation.md works as typed, from top to bottom, with a new cluster."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.repository import Repository

EXAMPLES = ("addons", "ccore", "minimal", "stages")
PAGES = ("installation.md", "domain-configuration.md")
PLACEHOLDER = re.compile(r"<[a-z-]+>")
# The cluster accepts an object only after its namespace.
KUBECTL = """#!/bin/bash -eu
[ "$1" = --context ] || { echo "no context: $*" >&2; exit 1; }
for word in "$@"; do
  case "$word" in
    *namespace*.yaml) sed -n 's/^  name: //p' "$word" >>"$CREATED" ;;
    *bootstrap/argocd) echo argocd >>"$CREATED" ;;
  esac
done
case "$*" in
  *" create configmap "*) ;;
  *" create "*--namespace*)
    namespace=$(sed 's/.*--namespace \\([a-z-]*\\).*/\\1/' <<<"$*")
    grep -qx "$namespace" "$CREATED" || { echo "namespace $namespace not found" >&2; exit 1; } ;;
  *" create --filename -"*)
    namespace=$(sed -n 's/.*"namespace": "\\([a-z-]*\\)".*/\\1/p')
    grep -qx "$namespace" "$CREATED" || { echo "namespace $namespace not found" >&2; exit 1; } ;;
  *" apply --filename -"*) cat >/dev/null ;;
esac
"""
AWS = """#!/bin/sh
case "$*" in *file:///dev/stdin*) cat >/dev/null ;; esac
case "$*" in
  *"--query CertificateArn"*) echo arn:aws:acm:eu-west-1:123456789012:certificate/new ;;
  *get-secret-value*) echo '{"type": "git"}' ;;
esac
"""
TOOLS = {
    "aws": AWS,
    "kubectl": KUBECTL,
    "dig": "#!/bin/sh\n",
    "ssh-keygen": '#!/bin/sh\nfor file; do :; done; echo private >"$file"; echo public >"$file.pub"\n',
}


def blocks(page: Path) -> list[str]:
    """Return the blocks of commands on a page, in their order."""
    return re.findall(r"^```sh\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)


def commands_of(page: Path) -> list[str]:
    """Return the lines of the blocks, with continued ones joined."""
    return "".join(blocks(page)).replace("\\\n", "").splitlines()


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_command_works_in_the_order_of_the_page(
    name: str, repositories: Callable[[str], Repository], tmp_path: Path
) -> None:
    """Stand-ins for the tools reject kubectl without a context, and objects without an existing namespace."""
    original = repositories(name)
    work = Path(shutil.copytree(original.path, tmp_path / "work", ignore=shutil.ignore_patterns(".git")))
    (tmp_path / "home/.ssh").mkdir(parents=True)
    (tmp_path / "bin").mkdir()
    for tool, text in TOOLS.items():
        (tmp_path / "bin" / tool).write_text(text)
        (tmp_path / "bin" / tool).chmod(0o755)
    subprocess.run(["git", "init", "--quiet", "--bare", tmp_path / "origin.git"], check=True)
    config = Path(os.environ["GIT_CONFIG_GLOBAL"]).read_text()
    url = original.answers["repo_url"]
    (tmp_path / "gitconfig").write_text(f'{config}[url "{tmp_path}/origin.git"]\n  insteadOf = {url}\n')
    typed = [block for block in blocks(work / "docs/installation.md") if not PLACEHOLDER.search(block)]
    # tests/rendering/test_preflight.py runs the preflight.
    script = "".join(block for block in typed if "preflight.sh" not in block)
    environment = os.environ | {
        "PATH": f"{tmp_path}/bin:{os.environ['PATH']}",
        "HOME": str(tmp_path / "home"),
        "CREATED": str(tmp_path / "created"),
        "GIT_CONFIG_GLOBAL": str(tmp_path / "gitconfig"),
    }
    done = subprocess.run(
        ["bash", "-eu", "-o", "pipefail", "-c", script],
        cwd=work,
        env=environment,
        input="a-token\n" * 3,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    pushed = subprocess.run(
        ["git", "--git-dir", tmp_path / "origin.git", "ls-tree", "--name-only", "main", "docs/installation.md"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert pushed.stdout == "docs/installation.md\n"


def test_every_kubectl_names_its_context(repository: Repository) -> None:
    names = "|".join(cluster["name"] for cluster in repository.clusters)
    for page in PAGES:
        for command in commands_of(repository.path / "docs" / page):
            for call in re.findall(r"\bkubectl\b.{0,80}", command):
                assert re.match(rf"kubectl --context ({names}) ", call), f"{page}: {command}"


def test_a_token_is_read_by_a_command_of_its_own(repository: Repository) -> None:
    """Pasted together with others, `read` would read the next command as the token."""
    for page in PAGES:
        for block in blocks(repository.path / "docs" / page):
            assert "read -rs" not in block or len(block.splitlines()) == 1


def test_no_step_needs_a_program_that_the_page_does_not_name(repository: Repository) -> None:
    page = repository.path / "docs/installation.md"
    programs = {line.split()[0] for line in commands_of(page) if re.match(r"[a-z]", line)}
    programs -= {"for", "done", "read", "printf", "cat"}
    assert programs <= {"aws", "bootstrap/preflight.sh", "dig", "echo", "git", "kubectl", "ssh-keygen"}


def test_every_tool_has_a_link_and_a_check(repository: Repository) -> None:
    page = (repository.path / "docs/installation.md").read_text()
    table = page.partition("### Tools\n")[2].partition("\n###")[0]
    rows = [row.strip("|").split(" | ") for row in table.splitlines() if row.startswith("| ")][2:]
    assert {row[1].split()[0].strip("`") for row in rows} == {"kubectl", "aws", "git", "ssh", "curl", "dig"}
    for tool, check, missing in rows:
        assert check.strip().startswith("`"), tool
        assert "https://" in missing or "package manager" in missing
