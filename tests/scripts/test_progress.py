"""The progress of long work: one line on a terminal, which is erased at the end, and nothing anywhere else."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pexpect
import pytest

from gitops import checks
from gitops.terminal import CLOSED_PIPE, ERASE, INTERRUPTED
from tests.support.checkout import Checkout

SIZE = (24, 80)
QUICK = sum(check.is_quick for check in checks.all_checks())


def start(checkout: Checkout, script: str, *arguments: str, term: str = "xterm") -> pexpect.spawn[str]:
    """Run a script on a terminal of 80 columns."""
    command = [str(checkout.path / "scripts" / script), *arguments]
    environment = checkout.environment | {"TERM": term}
    return pexpect.spawn(
        sys.executable, command, env=environment, dimensions=SIZE, encoding="utf-8", timeout=120, preexec_fn=_listen
    )


def _listen() -> None:
    """Listen to Ctrl-C, also if the tests run in the background."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def screen(written: str) -> str:
    """Return the final screen of a terminal: an erased line has only the text after it."""
    return "\n".join(line.rpartition(ERASE)[2] for line in written.replace("\r\n", "\n").split("\n"))


@pytest.mark.parametrize(
    ("script", "arguments", "text"),
    [
        ("validate.py", ["--quick"], f"Check 3 of {QUICK}: Git stores plain files only"),
        ("blast_radius.py", [], "Application 1 of 1: shop-dev"),
    ],
)
def test_a_terminal_shows_progress_and_in_the_end_what_a_pipe_gets(
    checkout: Checkout, script: str, arguments: list[str], text: str
) -> None:
    checkout.replace("apps/workloads/shop/overlays/dev/kustomization.yaml", "2.8.0-rc.1", "2.8.0")
    terminal = start(checkout, script, *arguments)
    written = str(terminal.read())
    piped = checkout.process(script, *arguments)
    assert f"{ERASE}{text}" in written
    assert screen(written) == piped.stdout
    assert (piped.stderr, ERASE in piped.stdout) == ("", False)
    shown = [line for part in written.split(ERASE)[1:] for line in part.splitlines()[:1] if line.startswith("Check ")]
    assert all(len(line) < SIZE[1] for line in shown)


def test_a_terminal_that_cannot_erase_shows_no_progress(checkout: Checkout) -> None:
    written = str(start(checkout, "validate.py", "--only", "conflicts", term="dumb").read())
    assert written.startswith("ok       No conflict is left")


def test_an_interrupt_ends_without_a_traceback(checkout: Checkout) -> None:
    terminal = start(checkout, "validate.py")
    terminal.expect("Check 1 of ")
    terminal.sendintr()
    rest = str(terminal.read())
    terminal.close()
    assert screen(rest).splitlines()[-1] == "Interrupted."
    assert "Traceback" not in rest
    assert terminal.exitstatus == INTERRUPTED


def test_a_reader_that_stops_ends_it_without_a_traceback(checkout: Checkout, tmp_path: Path) -> None:
    errors = tmp_path / "errors"
    script = checkout.path / "scripts/validate.py"
    with errors.open("w") as file:
        process = subprocess.Popen(
            [sys.executable, script, "--list"], env=checkout.environment, stdout=subprocess.PIPE, stderr=file
        )
        assert process.stdout
        process.stdout.close()
        assert process.wait() == CLOSED_PIPE
    assert errors.read_text() == ""
