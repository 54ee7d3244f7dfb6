"""robots.txt by RFC 9309: which paths a site asks us to leave alone. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote, unquote

import msgspec

PRODUCT = "intake"  #: our name in their files
LARGEST = 500 * 1024  #: bytes that are read of one
SLOWEST = 60.0  #: seconds of a Crawl-delay that are honoured


class Rule(msgspec.Struct, frozen=True):
    """One line."""

    path: str
    allows: bool

    def fits(self, path: str) -> bool:
        """`*` is anything, a `$` at the end is the end."""
        anchored = self.path.endswith("$")
        first, *rest = (_plain(part) for part in self.path.removesuffix("$").split("*"))
        if not path.startswith(first):
            return False
        if not rest:
            return not anchored or path == first
        # The earliest place of each part is as good as any: no line, however many stars it has, takes long.
        at = len(first)
        for part in rest[:-1]:
            found = path.find(part, at)
            if found < 0:
                return False
            at = found + len(part)
        return path.endswith(rest[-1], at) if anchored else path.find(rest[-1], at) >= 0


class Robots(msgspec.Struct, frozen=True):
    """What one site's file says to us."""

    rules: tuple[Rule, ...] = ()
    delay: float = 0.0  #: seconds between two requests

    def allows(self, path: str) -> bool:
        """The longest rule counts; of two equally long ones the one that allows."""
        plain = _plain(path)
        if plain == "/robots.txt":
            return True
        fitting = [rule for rule in self.rules if rule.fits(plain)]
        return max(((len(rule.path), rule.allows) for rule in fitting), default=(0, True))[1]


def read_robots(body: bytes) -> Robots:
    """Read the groups that name us, or those for everyone."""
    ours: list[tuple[str, str]] = []
    everyone: list[tuple[str, str]] = []
    named = False
    for agents, lines in _groups(body[:LARGEST].decode("utf-8-sig", "replace")):
        if PRODUCT in agents:
            named = True
            ours += lines
        if "*" in agents:
            everyone += lines
    lines = ours if named else everyone
    rules = tuple(Rule(value, key == "allow") for key, value in lines if key != "crawl-delay" and value)
    delays = [_seconds(value) for key, value in lines if key == "crawl-delay"]
    return Robots(rules=rules, delay=min(max(delays, default=0.0), SLOWEST))


def _groups(text: str) -> Iterator[tuple[set[str], list[tuple[str, str]]]]:
    agents: set[str] = set()
    lines: list[tuple[str, str]] = []
    for line in text.splitlines():
        key, colon, value = line.partition("#")[0].partition(":")
        key, value = key.strip().lower(), value.strip()
        if not colon:
            continue
        if key == "user-agent":
            if lines:
                yield agents, lines
                agents, lines = set(), []
            agents.add(value.lower().partition("/")[0])
        elif key in {"allow", "disallow", "crawl-delay"} and agents:
            lines.append((key, value))
    yield agents, lines


def _plain(path: str) -> str:
    """One spelling of what may be written percent-encoded or not."""
    return quote(unquote(path), safe="/?&=%:@!$'()*+,;~#[]")


def _seconds(value: str) -> float:
    try:
        seconds = float(value)
    except ValueError:
        return 0.0
    return seconds if 0 < seconds < 1e6 else 0.0  # noqa: PLR2004  and neither nan nor infinity
