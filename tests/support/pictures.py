"""Produce the output of commands in README.md, as a block of text or as a picture.

python -m tests.support.pictures    (make pictures) runs the commands, and writes README.md and docs/images
"""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from rich.console import Console
from rich.highlighter import RegexHighlighter
from rich.terminal_theme import MONOKAI
from rich.theme import Theme

from tests.support.checkout import Checkout, committed
from tests.support.own_checks import local_downloads
from tests.support.repository import ROOT, examples, render, snapshot

README = ROOT / "README.md"
IMAGES = ROOT / "docs/images"
COLUMNS = 80
# Longer lines wrap, as in a terminal: the picture must be readable in a page.
WIDEST = 114
NAMESPACE = "http://www.w3.org/2000/svg"

# Four common mistakes.
REFUSED = """\
repo_url: https://github.com/acme/platform-gitops.git
domain: https://example.com
acm_certificate_arn: arn:aws:acm:eu-west-1:123456789012:certificate/0a1b2c3d-1111-2222-3333-444455556666
environments: [dev, Prod]
workloads:
  - name: shop
    image: ghcr.io/acme/shop:1.4.2
    port: 70000
    enviroments: [dev]
"""

# Rich's own format loads a font from the network: GitHub blocks it, and a page should not load it.
SVG = """\
<svg viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{
  font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace;
  font-size: {char_height}px;
  line-height: {line_height}px;
}}
.{unique_id}-title {{ font-family: sans-serif; font-size: 18px; font-weight: bold; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}"/>
</clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""


class Highlighter(RegexHighlighter):
    """Highlight what a reviewer looks for in a report."""

    highlights = [  # noqa: RUF012  Rich declares it so.
        r"(?P<command>^\$ .+$)",
        r"(?P<loss>DELETED.*|without an owner|^ +- \S+|^Something protected .*)",
        r"(?P<gain>^ +\+ \S+|^Nothing protected .*)",
        r"(?P<effect>\d+ restarted|\d+ Deployments? restarts?)",
        r"(?P<mark>\(protected\))",
        r"(?m:(?P<heading>^[A-Z][^\n]*:$))",
    ]


COLORS = Theme(
    {"command": "bold", "loss": "red", "gain": "green", "effect": "yellow", "mark": "cyan", "heading": "bold"}
)


def svg(name: str, command: str, output: str) -> str:
    """Return a picture of a terminal with the output of a command."""
    text = f"$ {command}\n{output}"
    width = min(WIDEST, max(map(len, text.splitlines())))
    console = Console(record=True, width=width, file=io.StringIO(), highlight=False, theme=COLORS, legacy_windows=False)
    highlighter = Highlighter()
    for line in text.splitlines():
        console.print(highlighter(line))
    picture = console.export_svg(title=command, theme=MONOKAI, code_format=SVG, unique_id=name)
    return re.sub(r"[ \t]+$", "", picture, flags=re.MULTILINE)


def shown_text(picture: str) -> list[str]:
    """Return the lines of text that a picture shows, without empty ones and without its title."""
    lines: dict[float, str] = {}
    for element in ElementTree.fromstring(picture).iter(f"{{{NAMESPACE}}}text"):
        if not element.get("class", "").endswith("-title"):
            y = float(element.get("y", "0"))
            lines[y] = lines.get(y, "") + (element.text or "").replace("\u00a0", " ")
    return [line.rstrip() for _, line in sorted(lines.items()) if line.strip()]


def block(name: str, command: str, output: str) -> str:
    """Return the part of README.md that shows a command and its output, with its markers."""
    return f"<!-- {name}: make pictures -->\n\n```console\n$ {command}\n{output.rstrip()}\n```\n\n<!-- end -->"


def replaced(page: str, name: str, new: str) -> str:
    """Return a page with another text between the markers of a block."""
    pattern = re.compile(rf"<!-- {name}: make pictures -->.*?<!-- end -->", re.DOTALL)
    if len(pattern.findall(page)) != 1:
        raise ValueError(f"README.md needs one block {name}")
    return pattern.sub(lambda _: new, page)


def refused(template: Path, folder: Path) -> str:
    """Run Copier as a user does, with wrong answers, and return what it prints in a terminal of 80 columns."""
    (folder / "my.yaml").write_text(REFUSED)
    copier = Path(sys.executable).with_name("copier")
    command: list[str | Path] = [copier, "copy", "--defaults", "--data-file", "my.yaml"]
    variables = os.environ | {"COLUMNS": str(COLUMNS), "NO_COLOR": "1"}
    done = subprocess.run(
        [*command, template, "my-platform"],
        cwd=folder,
        env=variables,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    if not done.returncode or (folder / "my-platform").exists():
        raise AssertionError(f"These answers should be refused: {done.stdout}")
    return done.stdout.strip("\n")


def changed(answers: dict[str, Any]) -> dict[str, Any]:
    """Return the answers of a pull request: one workload leaves prod, another gets a new host there and more memory."""
    new = deepcopy(answers)
    shop, reports = new["workloads"]
    reports["environments"].remove("prod")
    shop["overrides"]["prod"]["host"] = "store"
    shop["components"][0]["resources"] = {"requests": {"memory": "256Mi"}, "limits": {"memory": "512Mi"}}
    return new


def blast_radius(template: Path, folder: Path) -> str:
    """Return the output of scripts/blast_radius.py for changed answers."""
    answers = examples()["stages"]
    before = committed(render(template, answers, folder / "before"))
    checkout = Checkout(before, {})
    checkout.become(render(template, changed(answers), folder / "after"))
    done = checkout.script("blast_radius.py", "--brief")
    if done.returncode != 1:
        raise AssertionError(f"Something protected should be lost: {done.stdout}{done.stderr}")
    return str(done.stdout.strip("\n"))


REFUSED_COMMAND = 'copier copy --defaults --data-file my.yaml "$TEMPLATE" my-platform'
BLAST_RADIUS_COMMAND = "scripts/blast_radius.py --brief"


def refused_block(template: Path, folder: Path) -> str:
    """Return the block of README.md with rejected answers."""
    return block("refused", REFUSED_COMMAND, refused(template, folder))


def blast_radius_picture(template: Path, folder: Path) -> str:
    """Return the picture of a report."""
    return svg("blast-radius", BLAST_RADIUS_COMMAND, blast_radius(template, folder))


def in_folder(make: Callable[[Path, Path], str], template: Path, parent: Path) -> str:
    """Run a command in a separate folder."""
    folder = parent / make.__name__
    folder.mkdir()
    return make(template, folder)


def main() -> None:
    """Run the commands and write what they print."""
    with tempfile.TemporaryDirectory() as temporary:
        parent = Path(temporary)
        for name in ("template", "downloads"):
            (parent / name).mkdir()
        template = snapshot(parent / "template")
        with local_downloads(parent / "downloads"):
            IMAGES.mkdir(exist_ok=True)
            (IMAGES / "blast-radius.svg").write_text(in_folder(blast_radius_picture, template, parent))
        README.write_text(replaced(README.read_text(), "refused", in_folder(refused_block, template, parent)))


if __name__ == "__main__":
    main()
