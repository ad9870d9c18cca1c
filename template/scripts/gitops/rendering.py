"""Have Copier render the repository again, and list what changed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from gitops.answers import recorded_text
from gitops.clone import check_top
from gitops.comparison import compare_revisions
from gitops.headline import headline
from gitops.text import printable
from gitops.tools import GitOpsError, run, unreadable

CURRENT = ":current:"
# Runs Copier. Python prints only the last line of an error that Copier does not expect, such as an unknown version.
COPIER = "import runpy, sys; sys.tracebacklimit = 0; runpy.run_module('copier', run_name='__main__', alter_sys=True)"
# How many files a list names.
FILES = 10


def check_ready(repository: Path) -> None:
    """Refuse a repository that Copier could not update, or in which its changes would mix with others.

    Raises:
        GitOpsError: with what to do.
    """
    check_top(repository)
    recorded_text(repository)
    if changed := changed_files(repository):
        raise GitOpsError(f"Commit or stash your changes first: {listed(changed)}")


def changed_files(repository: Path) -> list[str]:
    """Return the files that differ from the last commit."""
    lines = run("git", "status", "--porcelain", "--untracked-files=all", "--no-renames", "-z", folder=repository)
    return [line[3:] for line in lines.split("\0") if line]


def listed(files: list[str]) -> str:
    """Return a list of files in one line, without most of a long one."""
    more = f" and {len(files) - FILES} more" if len(files) > FILES else ""
    return printable(", ".join(files[:FILES])) + more


def update(repository: Path, *arguments: str) -> None:
    """Run `copier update`, which prints what it does.

    Raises:
        GitOpsError: if Copier refuses. What to undo is in the message.
    """
    # Copier takes no module from the repository.
    command = [sys.executable, "-P", "-c", COPIER, "update", "--defaults", *arguments]
    sys.stdout.flush()
    try:
        status = subprocess.run(command, cwd=repository, check=False).returncode
    except KeyboardInterrupt:
        status = 130
    if status:
        if changed_files(repository):
            raise GitOpsError("The update stopped halfway. Undo it: git reset --hard && git clean -fd")
        raise GitOpsError("Nothing was changed: see the message above.")


def conflicts(repository: Path) -> list[str]:
    """Return the files in which the template and people changed the same lines."""
    names = run("git", "diff", "--name-only", "--diff-filter=U", "--no-relative", "-z", folder=repository)
    return sorted({name for name in names.split("\0") if name})


def print_changes(repository: Path) -> bool:
    """Print which files changed, and the conflicts among them. Return whether any did."""
    print()
    if not changed_files(repository):
        print("No file changed.")
        return False
    print(run("git", "--no-pager", "diff", "--stat", "HEAD", folder=repository).rstrip())
    names = run("git", "ls-files", "--others", "--exclude-standard", "-z", folder=repository).split("\0")
    if new := [name for name in names if name]:
        print(f" {len(new)} new file{'s' if len(new) > 1 else ''}: {listed(new)}")
    if unmerged := conflicts(repository):
        print(f"\nConflicts in {len(unmerged)} file{'s' if len(unmerged) > 1 else ''}:")
        print("\n".join(f"  {printable(name)}" for name in unmerged))
        print("In each: keep one side or both, delete the markers, then run git add on it.")
    return True


def blast_radius(repository: Path) -> str:
    """Return in one line what the working tree would do to the clusters."""
    try:
        report = compare_revisions(repository)
    except GitOpsError as error:
        return f"skipped ({printable(str(error))})"
    except Exception as error:
        return f"skipped ({printable(unreadable(error))})"
    if report.problems:
        reason = printable(report.problems[0])
        return (
            f"{headline(report)}; not everything was compared ({reason})" if report.changes else f"skipped ({reason})"
        )
    return headline(report)
