"""Paths into what a source answered: `data.rows`, `user.0.name`, `groups.*.items`, `"a.b".c`. Pure.

`data.@json.rows`: what stands at `data` is a text that is JSON again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

import msgspec

from connectors.reading.encoding import decoded

_STEP = re.compile(r'"([^"]*)"|([^."]+)')
#: Where a path may begin instead of in the row itself.
SCOPES = ("@parent", "@root", "@list", "@detail", "@each", "@about", "@index")


@lru_cache(maxsize=1024)
def steps(path: str) -> tuple[str, ...]:
    """Cut a path; a quoted step may hold dots."""
    return tuple(quoted or plain for quoted, plain in _STEP.findall(path))


def look(value: Any, path: str) -> Any:  # noqa: ANN401  whatever the source sent
    """Follow a path; None where it leads nowhere, the value itself for the empty path."""
    return _follow(value, steps(path))


def _follow(value: Any, way: tuple[str, ...]) -> Any:  # noqa: ANN401
    for number, step in enumerate(way):
        if step == "*":
            parts = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
            return _flat(_follow(part, way[number + 1 :]) for part in parts)
        if step == "@json":
            value = _unpacked(value)
        elif isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and step.lstrip("-").isdecimal():
            value = value[int(step)] if -len(value) <= int(step) < len(value) else None
        else:
            return None
    return value


def _unpacked(value: Any) -> Any:  # noqa: ANN401
    try:
        return decoded(value) if isinstance(value, str) else value
    except msgspec.DecodeError:
        return None


def _flat(parts: Iterable[Any]) -> list[Any]:
    found: list[Any] = []
    for part in parts:
        if isinstance(part, list):
            found += part
        elif part is not None:
            found.append(part)
    return found


def scope_of(path: str) -> str | None:
    """Say which scope a path begins in, `@list` in `@list.title`; None: the row."""
    head = path.partition(".")[0]
    return head if head in SCOPES else None


def captured(paths: Iterable[str], scopes: Mapping[str, Any]) -> dict[str, Any]:
    """Look up what will be asked of the row's surroundings, so that a row can be read again without them."""
    found = {}
    for path in paths:
        head = scope_of(path)
        if head is not None and head in scopes:
            value = look(scopes[head], path[len(head) + 1 :])
            if value is not None:
                found[path] = value
    return found
