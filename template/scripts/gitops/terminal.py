"""Print to terminals and pipes: results on standard output, and the progress of long work on a terminal only."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from io import TextIOWrapper

from gitops.text import printable

# Return to the first column and erase the line.
ERASE = "\r\x1b[2K"
INTERRUPTED = 130
CLOSED_PIPE = 141


class Progress:
    """One line on standard error with the current step. Each step replaces the one before it.

    It stays empty unless a script turns it on and standard error is a terminal, so that no log and no pipe has it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._is_on = False
        self._is_shown = False

    def start(self) -> None:
        """Turn it on if a person is watching."""
        self._is_on = sys.stderr.isatty() and os.environ.get("TERM", "dumb") != "dumb"

    def show(self, text: str) -> None:
        """Replace the text, cut to the width of the terminal: a longer one would need two lines."""
        if self._is_on:
            with self._lock:
                # The last column stays free: some terminals break the line there.
                self._write(ERASE + printable(text)[: _columns() - 1])
                self._is_shown = True

    def print(self, text: str) -> None:
        """Print a result to standard output, in the place of the text."""
        with self._lock:
            self._clear()
            print(text, flush=True)

    def stop(self) -> None:
        """Erase the text and turn it off."""
        with self._lock:
            self._clear()
            self._is_on = False

    def _clear(self) -> None:
        if self._is_shown:
            self._write(ERASE)
            self._is_shown = False

    def _write(self, text: str) -> None:
        sys.stderr.write(text)
        sys.stderr.flush()


progress = Progress()


def _columns() -> int:
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns or 80
    except OSError:
        return 80


def escape_what_a_terminal_lacks() -> None:
    """Print an escape in the place of a character that the terminal's encoding lacks, such as an arrow."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def run(main: Callable[[], int]) -> int:
    """Run a script, and return its exit status. An interrupt and a closed pipe end it without a traceback."""
    escape_what_a_terminal_lacks()
    try:
        status = main()
        sys.stdout.flush()
        return status
    except KeyboardInterrupt:
        progress.stop()
        print("Interrupted.", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # A reader such as `head` has enough. Python would complain when it flushes at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return CLOSED_PIPE
    finally:
        progress.stop()
