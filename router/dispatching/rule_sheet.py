"""Reading the rules: the packaged ones, a city's own over them, and everything that contradicts itself."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

import msgspec

from router.dispatching.directory import Places
from router.dispatching.matrix import read_matrix
from router.dispatching.rule_texts import Parts, RuleText, Thresholds
from router.dispatching.rules import Rules
from router.dispatching.sheet import BadTables, Sheet, Written, read_layers, read_sheet, version_of


def load_rules(
    layers: Sequence[Written],
    categories: Collection[str] | None,
    roles: Collection[str],
    problems: list[str],
    *,
    units: Collection[str] = (),
    places: Places | None = None,
) -> Rules | None:
    """Read the packaged rules, and a city's own over them; every problem is added to `problems`.

    A city's file needs only what is different there: `[categories]` entries replace ours, a `[[rule]]` replaces ours of
    the same id, `drop = ["id"]` takes rules out. Its version is told together with ours.
    """
    sheets = [sheet for sheet in (read_sheet(layer, problems) for layer in layers) if sheet is not None]
    if len(sheets) < len(layers) or not sheets:
        return None
    before = len(problems)
    parts: dict[str, Parts] = {}
    finer: dict[str, RuleText] = {}
    lists: dict[str, list[str]] = {}
    for sheet in sheets:
        parts |= _read_categories(sheet, categories, roles, problems)
        lists |= _read_lists(sheet, problems)
        dropped = sheet.content.get("drop", [])
        problems.extend(
            sheet.says(sheet.key_line("drop"), f"drop: there is no rule {name!r}")
            for name in dropped
            if finer.pop(name, None) is None
        )
        own: dict[str, RuleText] = {}
        for line, rule in sheet.entries("rule", RuleText, problems):
            problems.extend(sheet.says(line, f"rule {rule.id}: {what}") for what in _flaws(rule, parts, roles, lists))
            if rule.id in own:
                problems.append(sheet.says(line, f"rule {rule.id} is there twice"))
            own[rule.id] = rule
        finer |= own
    last = sheets[-1]
    problems.extend(last.says(1, what) for what in _alike(finer.values(), parts))
    problems.extend(
        last.says(1, f"category {code} has no lead: add it to [categories]")
        for code in sorted(set(categories or ()) - parts.keys())
    )
    thresholds = _read_thresholds(sheets, problems)
    above = _read_above(sheets, roles, problems)
    matrix = read_matrix(sheets, parts, {*roles, *units} if roles else (), places, problems)
    if len(problems) > before:
        return None
    finest = list(finer.values())
    return Rules(version_of(sheets), parts, finest, lists, thresholds=thresholds, above=above, matrix=matrix)


def read_rules(path: Path | None = None, roles: Collection[str] = ()) -> Rules:
    """Read rules alone; without roles any role will do.

    Raises:
        BadTables: with everything that is wrong.
    """
    problems: list[str] = []
    rules = load_rules(read_layers("rules.toml", path, problems), None, roles, problems)
    if problems or rules is None:
        raise BadTables(problems)
    return rules


def _read_categories(
    sheet: Sheet, known: Collection[str] | None, roles: Collection[str], problems: list[str]
) -> dict[str, Parts]:
    found: dict[str, Parts] = {}
    for code, value in sheet.content.get("categories", {}).items():
        line = sheet.key_line(code)
        if known is not None and code not in known:
            problems.append(sheet.says(line, f"category {code} is not in the taxonomy"))
        try:
            found[code] = msgspec.convert(value, Parts)
        except msgspec.ValidationError as error:
            problems.append(sheet.says(line, f"category {code}: {error}"))
            continue
        problems.extend(
            sheet.says(line, f"category {code}: role {role!r} is in no directory")
            for role in (found[code].lead, *found[code].assist)
            if roles and role not in roles
        )
    return found


def _read_lists(sheet: Sheet, problems: list[str]) -> dict[str, list[str]]:
    try:
        return msgspec.convert(sheet.content.get("words", {}), dict[str, list[str]])
    except msgspec.ValidationError as error:
        problems.append(sheet.says(sheet.key_line("words"), f"[words]: {error}"))
        return {}


def _read_thresholds(sheets: Sequence[Sheet], problems: list[str]) -> Thresholds:
    merged: dict[str, float] = {}
    for sheet in sheets:
        merged |= sheet.content.get("thresholds", {})
    try:
        return msgspec.convert(merged, Thresholds)
    except msgspec.ValidationError as error:
        problems.append(sheets[-1].says(sheets[-1].key_line("thresholds"), f"[thresholds]: {error}"))
        return Thresholds()


def _read_above(sheets: Sequence[Sheet], roles: Collection[str], problems: list[str]) -> dict[str, str]:
    above: dict[str, str] = {}
    for sheet in sheets:
        for role, stand_in in sheet.content.get("above", {}).items():
            line = sheet.key_line(role)
            problems.extend(
                sheet.says(line, f"[above]: role {name!r} is in no directory")
                for name in (role, stand_in)
                if roles and name not in roles
            )
            above[role] = stand_in
    return above


def _flaws(
    rule: RuleText, parts: Mapping[str, Parts], roles: Collection[str], lists: Mapping[str, Sequence[str]]
) -> Iterable[str]:
    if not rule.category:
        yield "names no category"
    if not rule.why.strip():
        yield "has no `why`: say in one sentence what it is for"
    if not (rule.any or rule.also or rule.none or rule.types):
        yield "has no condition: write it under [categories]"
    yield from (f"category {code} is not in [categories]" for code in rule.category if code not in parts)
    named = (rule.lead, *(rule.assist or ()))
    yield from (
        f"role {role!r} is in no directory" for role in named if role is not None and roles and role not in roles
    )
    for word in (*rule.any, *rule.also, *rule.none):
        if word.startswith("@") and word[1:] not in lists:
            yield f"there is no word list {word}"
        if not word.strip("…@ "):
            yield "has an empty word"


def _alike(rules: Iterable[RuleText], parts: Mapping[str, Parts]) -> Iterable[str]:
    first: dict[tuple[object, ...], RuleText] = {}
    for rule in rules:
        for code in rule.category:
            key = (code, *(frozenset(group) for group in (rule.any, rule.also, rule.none, rule.types)))
            other = first.setdefault(key, rule)
            if other is not rule and code in parts and _lead(rule, parts[code]) != _lead(other, parts[code]):
                yield f"rules {other.id} and {rule.id} have the same conditions on {code} and different leads"


def _lead(rule: RuleText, parts: Parts) -> str:
    return rule.lead or parts.lead
