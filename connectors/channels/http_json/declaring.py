"""What an operator wrote -> a plan, or every problem at once: names, types, what cannot be meant together. Pure."""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Iterator, Mapping
from typing import Any, Union

import msgspec

from connectors.channels.http_json.plan import OURS, Call, Field, Login, Plan, asked
from connectors.channels.http_json.selectors import selector_of, wrong_selector
from connectors.reading.encoding import no_encoding


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Lay one declaration over another, table by table; a list replaces a list, and `false` takes a field away."""
    out = dict(base)
    for name, value in over.items():
        below = out.get(name)
        if isinstance(value, Mapping) and isinstance(below, Mapping):
            out[name] = merged(below, value)
        else:
            out[name] = value
    fields = out.get("fields")
    if isinstance(fields, Mapping):
        out["fields"] = {name: spec for name, spec in fields.items() if spec is not False}
    return out


def read(declared: Mapping[str, Any]) -> tuple[Plan | None, list[str]]:
    """Convert a declaration; every problem is told, not the first alone."""
    problems = list(_wrong(declared, Plan, ""))
    if problems:
        return None, problems
    try:
        plan = msgspec.convert(dict(declared), Plan)
    except msgspec.ValidationError as error:
        return None, [f"list {error}"]
    return plan, list(_inconsistent(plan))


def _wrong(declared: Mapping[str, Any], kind: type[msgspec.Struct], where: str) -> Iterator[str]:
    known = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    for name, value in declared.items():
        at = f"{where}{name}"
        field = known.get(name)
        if field is None:
            yield f"{at} is not known here; known are: {' '.join(known)}"
        elif (part := _part_of(field.type)) is not None and isinstance(value, Mapping):
            yield from _wrong(value, part, f"{at}.")
        else:
            try:
                msgspec.convert(value, field.type)
            except msgspec.ValidationError as error:
                yield f"{at} is wrong: {error}"
    yield from (f"{where}{name} is missing" for name, field in known.items() if field.required and name not in declared)


def _part_of(kind: Any) -> type[msgspec.Struct] | None:  # noqa: ANN401  an annotation
    """The table that an annotation means, `Window` in `Window | None`."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return kind
    if typing.get_origin(kind) in {Union, types.UnionType}:
        parts = [part for each in typing.get_args(kind) if (part := _part_of(each)) is not None]
        return parts[0] if parts else None
    return None


def _inconsistent(plan: Plan) -> Iterator[str]:
    yield from _encodings(plan)
    yield from _fields(plan)
    yield from _calls(plan)
    if plan.reading in {"newest_first", "oldest_first"} and plan.order is None and not plan.keyed:
        yield "reading by time needs order_by or fields.posted_at: the time by which the rows are sorted"
    if (plan.reading == "windows") != (plan.window is not None):
        yield 'reading = "windows" and the table `window` go together'
    if plan.reading == "oldest_first" and not plan.keyed and "since" not in asked(plan.list):
        yield "reading oldest_first needs {since} in the request: else all of it is read each time"
    if plan.sweep_every is not None and plan.reading != "newest_first":
        yield 'sweep_every is for reading = "newest_first"; for "whole" say complete = true'
    if plan.complete and plan.reading != "whole":
        yield 'complete is for reading = "whole"; for "newest_first" give sweep_every'


def _encodings(plan: Plan) -> Iterator[str]:
    calls = [plan.list, *([plan.detail] if plan.detail is not None else []), *plan.login]
    names = dict.fromkeys([plan.encoding or "utf-8", *(call.form_encoding for call in calls)])
    yield from (wrong for name in names if (wrong := no_encoding(name)) is not None)


def _fields(plan: Plan) -> Iterator[str]:
    for name, spec in plan.fields.items():
        if name not in OURS:
            yield f"fields.{name} is not a name of ours; ours are: {' '.join(OURS)}"
        if isinstance(spec, Field) and spec.match is not None and (wrong := _expression(spec.match)) is not None:
            yield f"fields.{name}.match {wrong}"
    if "native_id" not in plan.fields:
        yield "fields.native_id is missing: without an id a repeat cannot be told from a new item"
    if not {"text", "title"} & plan.fields.keys():
        yield "fields must name `text` or `title`: without words there is no appeal"
    yield from (f"required names {name}, which is not in fields" for name in plan.required if name not in plan.fields)
    yield from _matches(plan)


def _matches(plan: Plan) -> Iterator[str]:
    """Expressions that are none would be noticed at the first row."""
    named = {f"deleted[{number}]": match for number, match in enumerate(plan.deleted)}
    named |= {f"skip[{number}]": match for number, match in enumerate(plan.skip)}
    fields = {name: spec.when for name, spec in plan.fields.items() if isinstance(spec, Field) and spec.when}
    named |= {f"fields.{name}.when": match for name, match in fields.items()}
    if plan.detail is not None and plan.detail.when is not None:
        named["detail.when"] = plan.detail.when
    for name, match in named.items():
        if match.like is not None and (wrong := _expression(match.like, groups=False)) is not None:
            yield f"{name}.like {wrong}"
    taken = {name: spec for call in plan.login for name, spec in call.take.items()}
    for name, spec in ({**plan.detail.values, **taken} if plan.detail is not None else taken).items():
        if isinstance(spec, Field) and spec.match is not None and (wrong := _expression(spec.match)) is not None:
            yield f"{name}.match {wrong}"


def _expression(expression: str, *, groups: bool = True) -> str | None:
    try:
        found = re.compile(expression).groups
    except re.error as error:
        return f"is no expression: {error}"
    return None if found == 1 or not groups else "must have exactly one group in parentheses"


def _calls(plan: Plan) -> Iterator[str]:
    if plan.list.rows is None:
        yield "list.rows is missing: the path of the rows in the answer"
    if plan.detail is not None and (plan.detail.row is None) == (plan.detail.rows is None):
        yield "detail needs either `row` (it completes the row) or `rows` (its rows are the items)"
    calls: dict[str, Call] = {"list": plan.list} | ({"detail": plan.detail} if plan.detail is not None else {})
    calls |= {f"login[{number}]": call for number, call in enumerate(plan.login)}
    for name, call in calls.items():
        if call.json is not None and call.form:
            yield f"{name} has both json and form"
        if (call.json is not None or call.form) and call.method == "GET":
            yield f'{name}.method must be "POST" to carry a body'
        yield from _paging(call, name)
        yield from _page(call, name)
        yield from (
            f"{name} asks for {{{place}}}, which nothing gives; braces that are none of ours need a blank: {{ id }}"
            for place in sorted(asked(call) - _given(plan))
        )


def _given(plan: Plan) -> set[str]:
    """Every name that a template may ask for."""
    ours = {"each", "page", "offset", "size", "cursor", "since", "until", "key", "user", "password", "row"}
    key = plan.list.paging.key + (plan.detail.paging.key if plan.detail is not None else ())
    keys = {"after", *(f"after{number}" for number in range(2, len(key) + 1))}
    found = {name for call in plan.login for name in call.take} | (set(plan.detail.values) if plan.detail else set())
    return ours | keys | set(plan.values) | found


def _page(call: Call, name: str) -> Iterator[str]:
    """HTML is read by selectors, everything else by paths."""
    if call.shape != "html":
        if call.cells or call.page or call.within is not None:
            yield f'{name} has cells, page or within, which are for shape = "html"'
        return
    if call.rows and not call.cells:
        yield f"{name}.cells is missing: what is taken of each row"
    if not call.rows and not call.page and not isinstance(call, Login):
        yield f"{name} takes nothing of its page: name `rows` and `cells`, or `page`"
    several = [cell if isinstance(cell, tuple) else (cell,) for cell in (*call.cells.values(), *call.page.values())]
    selectors = [call.rows or "", call.within or "", *(selector_of(each) for cell in several for each in cell)]
    yield from (f'{name}: "{css}" is no CSS selector' for css in selectors if css and wrong_selector(css))


def _paging(call: Call, name: str) -> Iterator[str]:
    paging = call.paging
    if paging.kind == "cursor" and paging.next is None:
        yield f"{name}.paging.next is missing: the path of the next cursor"
    if paging.kind == "keyset" and not paging.key:
        yield f"{name}.paging.key is missing: the paths of the key in a row"
    wanted = {"page": "page", "offset": "offset", "cursor": "cursor", "keyset": "after"}.get(paging.kind)
    if wanted is not None and wanted not in asked(call):
        yield f"{name}.paging is by {paging.kind}, but nothing in the request asks for {{{wanted}}}"
