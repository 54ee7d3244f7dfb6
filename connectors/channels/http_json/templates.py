"""Templates of a request: `{page}`, `{after}`, `{key}`, `{row.id}` in paths, queries, headers and bodies. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from connectors.channels.http_json.paths import look

_PLACE = re.compile(r"\{([A-Za-z_@][^{}]*)\}")


def is_place(template: str) -> bool:
    """Whether a text is one place and nothing else."""
    return _PLACE.fullmatch(template) is not None


def places(template: Any) -> Iterator[str]:  # noqa: ANN401  a template may be any JSON
    """Every name that a template asks for."""
    if isinstance(template, str):
        yield from _PLACE.findall(template)
    elif isinstance(template, Mapping):
        for part in template.values():
            yield from places(part)
    elif isinstance(template, list | tuple):
        for part in template:
            yield from places(part)


def text(template: str, values: Mapping[str, Any], *, quoted: bool = False) -> str | None:
    """Fill a text; None if something that it asks for is not there: then it is left out."""
    found = {name: _value(name, values) for name in places(template)}
    if any(value is None for value in found.values()):
        return None
    plain = {name: written(value) for name, value in found.items()}
    return _PLACE.sub(lambda match: quote(plain[match[1]], safe="") if quoted else plain[match[1]], template)


def table(templates: Mapping[str, str], values: Mapping[str, Any]) -> dict[str, str]:
    """Fill a query, a form or headers."""
    filled = {name: text(template, values) for name, template in templates.items()}
    return {name: value for name, value in filled.items() if value is not None}


def body(template: Any, values: Mapping[str, Any]) -> Any:  # noqa: ANN401
    """Fill a JSON body: a text that is one place keeps the value's type, and is left out without a value."""
    if isinstance(template, str):
        alone = _PLACE.fullmatch(template)
        return _value(alone[1], values) if alone else text(template, values)
    if isinstance(template, Mapping):
        filled = {name: body(part, values) for name, part in template.items()}
        return {name: value for name, value in filled.items() if value is not None}
    if isinstance(template, list | tuple):
        return [value for part in template if (value := body(part, values)) is not None]
    return template


def written(value: Any) -> str:  # noqa: ANN401
    """Write a value of JSON as settings do: true, 12, words."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    return "" if value is None else str(value)


def _value(name: str, values: Mapping[str, Any]) -> Any:  # noqa: ANN401
    if name in values:
        return values[name]
    head, _, rest = name.partition(".")
    return look(values[head], rest) if head in values else None
