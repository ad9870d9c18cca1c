"""Generate rules of routes: ordinary ones, and ambiguous ones that attackers write."""

from __future__ import annotations

import re
from itertools import pairwise

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

OWN = ("a.dev.acme.io", "b.dev.acme.io", "dev.acme.io", "c-1.d.dev.acme.io")
FOREIGN = ("shop.prod.acme.io", "acme.io", "x.example.org", "shop.dev.acme.io", "adev.acme.io")
# What every probe satisfies: it is a GET of PROBE with HEADERS.
PROBE, HEADERS = "/api/x?a=b&c", {"X-A": "b c"}
TRUE = (
    *("PathPrefix(`/`)", "PathPrefix(`/api`)", "Path(`/api/x`)", "Method(`GET`)", "Header(`X-A`, `b c`)"),
    *("Header(`x-a`,`b c`)", "Query(`a`, `b`)", "Query(`c`)", "!Path(`/api`)", "!Method(`POST`)", "!Query(`d`)"),
    *("(Path(`/`) || PathPrefix(`/api/`))", "(PathPrefix(`/api`)||Path(`/b`))"),
)
SPACES = st.sampled_from(["", " ", "  "])
# Each rule routes a host that it must not, if it is read by searching it for hosts.
DECEPTIVE = {
    'Host(/*x.dev.acme.io) && */ "shop.prod.acme.io")': "shop.prod.acme.io",
    'Host("\\x73hop.prod.acme.io") && !Path(`/dev.acme.io)`)': "shop.prod.acme.io",
    "Host(`a.dev.acme.io`) || // && Host(`a.dev.acme.io`)\nHost(`shop.prod.acme.io`)": "shop.prod.acme.io",
    "HOST(`shop.prod.acme.io`) || Host(`a.dev.acme.io`)": "shop.prod.acme.io",
    "Host(`SHOP.dev.acme.io`)": "shop.dev.acme.io",
    "Host(`shop.dev.acme.io.`)": "shop.dev.acme.io",
    "Host(`*.dev.acme.io`)": "shop.dev.acme.io",
    "Host(`a.dev.acme.io`) && Path(`/`) || PathPrefix(`/`)": "shop.prod.acme.io",
    "!Host(`a.dev.acme.io`)": "shop.prod.acme.io",
    "Host(`a.dev.acme.io`,) || Host(`shop.prod.acme.io`,)": "shop.prod.acme.io",
    "Host(`*`)": "shop.prod.acme.io",
}
# Pieces of Go's syntax, of matchers, and of hosts.
PIECES = (
    *("`", '"', "'", "(", ")", "!", "!!", "&&", "||", "&", "|", ",", ";", ".", "*", "*.", "\\", "\\x73", "\\u0073"),
    *("/*", "*/", "/**/", "//", "//\n", "\n", "\t", "\r", " ", "\u00a0", "\ufeff", "\x00", "ä", "\u2028", "K"),
    *("Host", "host", "HOST", "hOst", "HostRegexp(`.*`)", "HostSNI(`a.dev.acme.io`)", "HostHeader(`acme.io`)"),
    *(f"Host(`{host}`)" for host in (*OWN, *FOREIGN, "*", "*.acme.io", "A.dev.acme.io", "a.dev.acme.io.", "")),
    *(f' || Host("{host}")' for host in FOREIGN),
    *(
        " || PathPrefix(`/`)",
        " && Path(`/)`)",
        "Header(`Host(`, `acme.io`)",
        "PathRegexp(`.`)",
        "ClientIP(`0.0.0.0/0`)",
    ),
    *("Headers(`X-A`, `b c`)", "Host(`a.dev.acme.io`, `acme.io`)", "`a.dev.acme.io`", "true", "1", "func(){}"),
)


@st.composite
def plain(draw: DrawFn, hosts: tuple[str, ...] = OWN + FOREIGN) -> str:
    """Return a rule in the accepted grammar."""
    names = draw(st.lists(st.sampled_from(hosts), min_size=1, max_size=3))
    others = draw(st.lists(st.sampled_from(TRUE), max_size=2))
    alternatives = f"{draw(SPACES)}||{draw(SPACES)}".join(f"Host(`{name}`)" for name in names)
    if others and (len(names) > 1 or draw(st.booleans())):
        alternatives = f"({alternatives})"
    return "".join([alternatives, *(f"{draw(SPACES)}&&{draw(SPACES)}{other}" for other in others)])


@st.composite
def spoilt(draw: DrawFn) -> str:
    """Return a rule with pieces removed, doubled, inserted, or in another case."""
    rule = draw(plain())
    for _ in range(draw(st.integers(1, 3))):
        start, end = sorted(draw(st.tuples(*[st.integers(0, len(rule))] * 2)))
        part = rule[start:end]
        new = draw(
            st.sampled_from([*PIECES, "", part * 2, part.upper(), part.lower(), part[::-1], f"({part})", f"/*{part}*/"])
        )
        rule = rule[:start] + new + (rule[start:] if new in PIECES and draw(st.booleans()) else rule[end:])
    return rule


def rules() -> SearchStrategy[str]:
    """Return rules of all sorts."""
    return st.one_of(plain(), spoilt(), spoilt(), st.lists(st.sampled_from(PIECES), max_size=8).map("".join))


def probes(rule: str) -> list[str]:
    """Return the hosts to request: all hosts of generated rules, what a rule may mean, and similar names."""
    words = [word.lower().strip(".") for word in re.findall(r"[A-Za-z0-9.-]+", rule) if "." in word.strip(".")]
    joined = ["".join(pair) for pair in pairwise(words)]
    found = {*OWN, *FOREIGN, *words, *joined, *(f"x.{word}" for word in words)}
    return sorted(word for word in found if re.fullmatch(r"[a-z0-9][a-z0-9.-]{0,100}", word))


def always_true(rule: str) -> bool:
    """Return whether a probe meets all conditions of an accepted rule besides hosts."""
    for group in (matcher for matcher in TRUE if matcher.startswith("(")):
        rule = rule.replace(group, "")
    matchers = re.findall(r"!?[A-Za-z]+\([^()]*\)", rule)
    return all(matcher.startswith("Host(") or matcher in TRUE for matcher in matchers)
