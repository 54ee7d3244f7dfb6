"""The sources of a settings file (来源): what every source has, and what its connector declares for itself."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from connectors.source import Source
from intake.settings_problems import Problems, Where, checked_fields

#: The connectors' own declarations, by the name of their kind.
Kinds = Mapping[str, type[Source]]


def read_sources(
    table: Mapping[str, object], environment: Mapping[str, str], kinds: Kinds, problems: Problems
) -> tuple[Source, ...]:
    """Read every `[[source]]`; what is wrong with one does not hide what is wrong with the next."""
    rows = table.get("source", [])
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        problems.tell(("source",), "来源要写成 [[source]] · sources are written as [[source]]")
        return ()
    seen: set[str] = set()
    sources = []
    for at, row in enumerate(rows):
        name = row.get("name")
        if isinstance(name, str) and name in seen:
            problems.tell(("source", at, "name"), f"来源重名 {name} · two sources are named {name}")
        seen.add(str(name))
        source = _source(row, ("source", at), environment, kinds, problems)
        if source is not None:
            sources.append(source)
    return tuple(sources)


def _source(
    row: Mapping[str, object], where: Where, environment: Mapping[str, str], kinds: Kinds, problems: Problems
) -> Source | None:
    before = len(problems.found)
    kind = row.get("kind")
    declared = kinds.get(kind) if isinstance(kind, str) else None
    if kind is not None and declared is None:
        known = " ".join(sorted(kinds))
        problems.tell(
            (*where, "kind"), f"没有这种来源 {kind}，可用：{known} · no such kind of source: {kind}; known: {known}"
        )
        row = {key: value for key, value in row.items() if key in Source.__struct_fields__}
    good = checked_fields(row, declared or Source, where, problems)
    _environment_named(row, where, environment, problems)
    if declared is None or len(problems.found) > before:
        return None
    return _consistent(declared, good, where, problems)


def _consistent(declared: type[Source], good: dict[str, object], where: Where, problems: Problems) -> Source | None:
    """Ask the declaration what it thinks of the values together."""
    try:
        source = msgspec.convert(good, declared, from_attributes=True)
    except (msgspec.ValidationError, NotImplementedError) as error:
        problems.tell(where, f"设置不对 · bad settings: {error}")
        return None
    for problem in source.problems():
        problems.tell((*where, problem.split(" ", 1)[0]), problem)
    return source


def _environment_named(
    row: Mapping[str, object], where: Where, environment: Mapping[str, str], problems: Problems
) -> None:
    """A setting `…_env` names a variable of the environment: a secret never stands in the file."""
    for key, name in row.items():
        if key.endswith("_env") and isinstance(name, str) and not environment.get(name):
            problems.tell((*where, key), f"环境变量 {name} 没有设置 · environment variable {name} is not set")
