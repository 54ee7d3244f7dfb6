"""What is wrong with a settings file, all of it at once, each with its file and line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

_HEADER = re.compile(r"^\s*(\[\[?)\s*([^\]]+?)\s*\]\]?")
_KEY = re.compile(r"^\s*([A-Za-z0-9_\-]+|\"[^\"]+\")\s*[.=]")

Where = tuple[str | int, ...]


class Problem(msgspec.Struct, frozen=True):
    """One thing to repair."""

    file: str
    line: int
    text: str  #: Chinese first, English second

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.text}"


class SettingsError(Exception):
    """The settings can't be used; `problems` says every reason at once."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


class Lines:
    """Finds the line of a key, which `tomllib` does not tell."""

    def __init__(self, text: str) -> None:
        self._lines: dict[Where, int] = {}
        for where, line in _walk(text):
            self._lines.setdefault(where, line)

    def of(self, where: Where) -> int:
        """Say on which line `where` stands, or the nearest table around it."""
        while where and where not in self._lines:
            where = where[:-1]
        return self._lines.get(where, 1)


def _walk(text: str) -> Iterator[tuple[Where, int]]:
    table: Where = ()
    counts: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.match(line):
            name = header[2].strip()
            table, steps = _table(name, counts, grows=header[1] == "[[")
            for depth in range(1, steps + 1):
                yield table[:depth], number
        elif key := _KEY.match(line):
            yield (*table, key[1].strip('"')), number


def _table(name: str, counts: dict[str, int], *, grows: bool) -> tuple[Where, int]:
    """Turn `[[source]]` into ("source", 3) and `[source.columns]` into ("source", 3, "columns")."""
    if grows:
        counts[name] = counts.get(name, -1) + 1
    where: list[str | int] = []
    prefix = ""
    for part in name.split("."):
        prefix = f"{prefix}.{part}" if prefix else part
        where.append(part.strip('" '))
        if prefix in counts:
            where.append(counts[prefix])
    return tuple(where), len(where)


class Problems:
    """Collects problems of one file."""

    def __init__(self, file: Path, lines: Lines) -> None:
        self._file = file
        self._lines = lines
        self.found: list[Problem] = []

    def tell(self, where: Where, text: str) -> None:
        self.found.append(Problem(str(self._file), self._lines.of(where), text))

    def known_keys(self, where: Where, table: Mapping[str, object], known: Sequence[str]) -> None:
        """Name every key that nobody reads: a misspelt setting must not pass in silence."""
        for key in table:
            if key not in known:
                names = " ".join(known)
                self.tell((*where, key), f"不认识的设置 {key}，可用：{names} · unknown setting {key}; known: {names}")


def checked_fields(
    table: Mapping[str, object], kind: type[msgspec.Struct], where: Where, problems: Problems
) -> dict[str, Any]:
    """Convert field by field, so that one bad value does not hide the next."""
    fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    problems.known_keys(where, table, tuple(fields))
    good: dict[str, Any] = {}
    for key, value in table.items():
        if key not in fields:
            continue
        try:
            good[fields[key].name] = msgspec.convert(value, fields[key].type, dec_hook=_hook)
        except (msgspec.ValidationError, NotImplementedError) as error:
            problems.tell((*where, key), f"{key} 的值不对 · bad value for {key}: {error}")
    for key, field in fields.items():
        if field.required and key not in table:
            problems.tell(where, f"缺少 {key} · {key} is missing")
    return good


def _hook(kind: type, value: object) -> object:
    if kind is Path and isinstance(value, str):
        return Path(value)
    raise msgspec.ValidationError(f"expected {kind.__name__}")
