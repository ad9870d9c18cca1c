"""Run the tools that mise.toml pins, and report why something cannot be read or built."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import traceback
from functools import cache
from pathlib import Path

# How many characters of a tool's error message are shown.
MESSAGE_LENGTH = 1000
TIMEOUT_SECONDS = 600
# No tool needs the credentials of the person or the job that runs it.
CREDENTIALS = re.compile(r"TOKEN|SECRET|PASSWORD|CREDENTIAL|^(AWS|AZURE|GOOGLE|GITHUB|GITLAB|GH|KUBE)", re.IGNORECASE)
# Git sets these for its hooks. They would redirect a script to files outside its clone.
HOOKS = re.compile(
    r"GIT_(DIR|WORK_TREE|INDEX_FILE|PREFIX|COMMON_DIR|NAMESPACE|OBJECT_DIRECTORY|ALTERNATE_OBJECT_DIRECTORIES"
    r"|CEILING_DIRECTORIES|DISCOVERY_ACROSS_FILESYSTEM|GRAFT_FILE|SHALLOW_FILE|EXTERNAL_DIFF|DIFF_OPTS|LITERAL_PATHSPECS"
    r"|GLOB_PATHSPECS|NOGLOB_PATHSPECS|ICASE_PATHSPECS|TRACE\w*)"
)
# The environment variables that a tool without network access keeps.
KEPT = ("LANG", "LC_ALL", "SYSTEMROOT", "TEMP", "TMP", "TMPDIR")
# English messages, and no prompt that nobody can answer.
PLAIN_GIT = {"LC_ALL": "C.UTF-8", "LANGUAGE": "", "GIT_TERMINAL_PROMPT": "0"}
NOWHERE = "http://127.0.0.1:1"
MISE = "https://mise.jdx.dev/installing-mise.html"
# Tools that mise.toml does not pin.
OTHERS = {"git": "install it from https://git-scm.com/downloads"}


class GitOpsError(Exception):
    """Something cannot be read or built. The message has the subject and the reason."""


class UnavailableError(GitOpsError):
    """A tool or a server is missing, so the repository could not be checked.

    Attributes:
        cause: What is missing.
        fix: What to do.
    """

    def __init__(self, cause: str, fix: str) -> None:
        super().__init__(f"{cause}: {fix}")
        self.cause = cause
        self.fix = fix


def unreadable(error: Exception) -> str:
    """Return the message for an error that no code expects: mostly, a file has a value of another type."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "nowhere"
    detail = " ".join(str(error).split())[:MESSAGE_LENGTH]
    name = f"unexpected {type(error).__name__} in {place} ({detail})"
    if isinstance(error, AttributeError | LookupError | TypeError | ValueError):
        return f"{name}: a file may have a value of the wrong type; check what changed, or report a bug of the scripts"
    return f"{name}: this may have nothing to do with your files; run it again, or report a bug of the scripts"


def run(
    *command: str,
    folder: Path | None = None,
    stdin: str = "",
    variables: dict[str, str] | None = None,
    reports: bool = False,
    online: bool = False,
) -> str:
    """Run a tool and return its output.

    A tool finds no other program, no proxy and none of the user's settings, so that no input can make it download or
    execute anything. Git and tools that are `online` keep the environment, but no credentials.

    Args:
        command: The tool and its arguments.
        folder: The working directory.
        stdin: The text that the tool reads.
        variables: Further environment variables.
        reports: Whether the tool exits with an error when it reports problems on its output. The message of any other
            failure then names the tool.
        online: Whether the tool downloads something.

    Raises:
        UnavailableError: if the tool is not installed.
        GitOpsError: if it fails, with its error message.
    """
    name, *arguments = command
    environment = environment_without_credentials() if online or name == "git" else offline_environment()
    try:
        result = subprocess.run(
            [program(name), *arguments],
            cwd=folder,
            env=environment | (variables or {}),
            input=stdin.encode("utf-8", "surrogateescape"),
            capture_output=True,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise GitOpsError(f"{name} did not end within {TIMEOUT_SECONDS} seconds") from None
    except ValueError:
        raise GitOpsError(f"{name}: an argument contains a NUL character") from None
    output, errors = (text.decode("utf-8", "surrogateescape") for text in (result.stdout, result.stderr))
    if result.returncode and not (reports and output):
        message = " ".join((errors or output).split())[:MESSAGE_LENGTH]
        raise GitOpsError(f"{name}: {message}" if reports else message or f"{name} failed")
    return output


def program(name: str) -> str:
    """Return the path of a tool.

    Raises:
        UnavailableError: if it is not installed.
    """
    path, mise = shutil.which(name), shutil.which("mise")
    if path and Path(path).resolve().stem == "mise":
        path = _installed_by_mise(name, str(Path(path).resolve()))
    elif not path and mise and name not in OTHERS:
        # A shell in which mise is installed, but not activated.
        path = _installed_by_mise(name, mise)
    if not path:
        fix = "run `mise install`" if mise else f"install mise ({MISE}), then run `mise install`"
        raise UnavailableError(f"{name} is not installed", OTHERS.get(name, fix))
    return path


@cache
def _installed_by_mise(name: str, mise: str) -> str:
    """Return the program that mise installed. Its shim needs environment variables that tools do not get."""
    result = subprocess.run([mise, "which", name], capture_output=True, text=True, check=False)
    return result.stdout.strip()


def environment_without_credentials() -> dict[str, str]:
    """Return the environment without the variables that hold credentials or redirect Git."""
    kept = {name: value for name, value in os.environ.items() if not CREDENTIALS.search(name)}
    return {name: value for name, value in kept.items() if not HOOKS.fullmatch(name)} | PLAIN_GIT


def offline_environment() -> dict[str, str]:
    """Return an environment in which a tool finds no program, no server and no settings."""
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    proxies = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"), NOWHERE)
    # Short-lived processes: less garbage collection makes them 25 % faster.
    garbage = {"GOGC": "400"}
    git = {"GIT_ALLOW_PROTOCOL": "none", "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    return kept | proxies | git | garbage | {"HOME": _empty_home().name, "PATH": os.devnull}


@cache
def _empty_home() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="gitops-home-")
