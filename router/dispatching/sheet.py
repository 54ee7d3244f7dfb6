"""A table as people wrote it: a TOML file whose problems are all told at once, each with file and line."""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")

DATA = Path(__file__).parent.parent / "data"  #: the packaged tables


class BadTables(Exception):
    """The tables contradict themselves or cannot be read. `problems` has every one of them; correct the files."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


class Written(msgspec.Struct, frozen=True):
    """The whole text of a table, and the name under which its problems are told."""

    name: str
    text: str


class Sheet:
    """One table, its content, and where its entries stand."""

    def __init__(self, written: Written, content: dict[str, Any]) -> None:
        self.written = written
        self.content = content
        self._lines = written.text.splitlines()

    def says(self, line: int, what: str) -> str:
        """Word a problem the one way all tables word them."""
        return f"{self.written.name}:{line}: {what}"

    def entry_line(self, name: str, index: int) -> int:
        """Find the line of the index-th `[[name]]`, from 0."""
        header = f"[[{name}]]"
        found = [number for number, line in enumerate(self._lines, 1) if line.split("#")[0].strip() == header]
        return found[index] if index < len(found) else 1

    def key_line(self, key: str) -> int:
        """Find the line on which a key is set first."""
        pattern = re.compile(rf'\s*"?{re.escape(key)}"?\s*=')
        return next((number for number, line in enumerate(self._lines, 1) if pattern.match(line)), 1)

    def entries(self, name: str, kind: type[T], problems: list[str]) -> list[tuple[int, T]]:
        """Read the entries `[[name]]` as records with their lines; an entry that is no record is a problem."""
        raw = self.content.get(name, [])
        if not isinstance(raw, list):
            problems.append(self.says(self.key_line(name), f"{name} must be written as [[{name}]] entries"))
            return []
        found = []
        for index, item in enumerate(raw):
            line = self.entry_line(name, index)
            try:
                found.append((line, msgspec.convert(item, kind)))
            except msgspec.ValidationError as error:
                problems.append(self.says(line, f"[[{name}]] number {index + 1}: {error}"))
        return found


def read_sheet(where: Path | Written, problems: list[str]) -> Sheet | None:
    """Read one table; what is wrong with it as a whole becomes a problem and None comes back."""
    written = read_text(where, problems) if isinstance(where, Path) else where
    if written is None:
        return None
    try:
        return Sheet(written, tomllib.loads(written.text))
    except tomllib.TOMLDecodeError as error:
        problems.append(f"{written.name}: is not TOML: {error}")
    return None


def read_text(path: Path, problems: list[str]) -> Written | None:
    """Read a file's text; what is wrong with the file itself becomes a problem and None comes back."""
    try:
        return Written(str(path), path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        problems.append(f"{path}: cannot be read ({error.strerror}); correct the path in the settings")
    except UnicodeDecodeError:
        problems.append(f"{path}: is not UTF-8; save it as UTF-8")
    return None


def read_layers(name: str, path: Path | None, problems: list[str]) -> tuple[Written, ...]:
    """Read the packaged table of this name, and a city's own that lies over it."""
    wanted = [DATA / name] if path is None else [DATA / name, path]
    found = [read_text(each, problems) for each in wanted]
    return tuple(written for written in found if written is not None)


def version_of(layers: Sequence[Sheet]) -> str:
    """Name a version: its own word for it, the city's before ours, and a digest, so that no edit goes unseen."""
    said = "+".join(str(sheet.content.get("version", "?")) for sheet in reversed(layers))
    digest = hashlib.blake2b(digest_size=6)
    for sheet in layers:
        digest.update(hashlib.blake2b(sheet.written.text.encode(), digest_size=16).digest())
    return f"{said}-{digest.hexdigest()}"
