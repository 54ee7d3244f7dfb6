"""What a settings file says of single departments (单位): where to push, and whose files are exchanged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypeVar

import msgspec

from intake.exchange.settings import Exchange
from intake.pushing.settings import Push
from intake.settings_problems import Problems, Where, checked_fields

D = TypeVar("D", Push, Exchange)


def read_pushes(
    file: Path, table: Mapping[str, object], environment: Mapping[str, str], problems: Problems
) -> Iterator[Push]:
    """Read every `[[push]]`."""
    for where, push in _departments(table, "push", Push, problems):
        beside = push if push.ca is None else msgspec.structs.replace(push, ca=file.parent / push.ca)
        for problem in beside.problems(environment):
            problems.tell((*where, problem.split(" ", 1)[0]), problem)
        if beside.ca is not None and not beside.ca.is_file():
            problems.tell((*where, "ca"), f"没有这个文件 {push.ca} · no such file: {push.ca}")
        yield beside


def read_exchanges(table: Mapping[str, object], problems: Problems) -> Iterator[Exchange]:
    """Read every `[[exchange]]`."""
    for where, exchange in _departments(table, "exchange", Exchange, problems):
        for problem in exchange.problems():
            problems.tell((*where, problem.split(" ", 1)[0]), problem)
        yield exchange


def _departments(
    table: Mapping[str, object], name: str, kind: type[D], problems: Problems
) -> Iterator[tuple[Where, D]]:
    """Read tables of which a department has one."""
    written = table.get(name, [])
    if not isinstance(written, list) or not all(isinstance(each, dict) for each in written):
        problems.tell((name,), f"写作 [[{name}]]，一个单位一段 · write [[{name}]], one a department")
        return
    known: set[str] = set()
    for number, each in enumerate(written):
        where: Where = (name, number)
        before = len(problems.found)
        fields = checked_fields(each, kind, where, problems)
        if len(problems.found) > before:
            continue
        read = kind(**fields)
        if read.department in known:
            problems.tell((*where, "department"), f"{read.department} 写了两次 · stands twice")
        known.add(read.department)
        yield where, read
