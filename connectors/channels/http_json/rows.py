"""Rows -> items: the mapped names, and the row as it came beside them. Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urljoin
from zoneinfo import ZoneInfo

import msgspec

from connectors.base import BadItem, Item
from connectors.channels.http_json import templates
from connectors.channels.http_json.answers import fits, says_no, value_at
from connectors.channels.http_json.plan import TIMES, Field, Plan, Spec
from connectors.channels.http_json.templates import written
from connectors.channels.table import CONTENT
from connectors.raw_appeal import Mode
from connectors.reading.times import is_never, moment_of
from connectors.source import Source

_UNITS = {"s": 1, "ms": 1_000, "us": 1_000_000}
#: Names of which nothing is kept but what JSON says.
_AS_IT_IS = ("likes", "dislikes", "views", "replies", "secret", "attachments")


def read_row(row: Any, of: Mapping[str, Any], plan: Plan, source: Source, *, scope: str) -> Item | BadItem | None:  # noqa: ANN401
    """Read one row; `of` is what was captured of its surroundings. None: the plan skips it."""
    if isinstance(row, dict) and any(fits(each, row, of) for each in plan.skip):
        return None
    kept = {name: value for name, value in row.items() if name not in plan.drop} if isinstance(row, dict) else row
    wrong: list[str] = []
    mapped = _mapped(row, of, plan, source, wrong) if isinstance(row, dict) else {}
    payload = msgspec.json.encode({**mapped, "_row": kept, **({"_of": of} if of else {})})
    context = {name: str(of[f"@{name}"]) for name in ("about", "each") if of.get(f"@{name}")}
    native_id = written(mapped.get("native_id"))
    if not native_id:
        digest = hashlib.blake2b(payload, digest_size=9).hexdigest()
        reason = "the row has no id" if isinstance(row, dict) else "the row is not an object"
        return BadItem(native_id=f"row-{digest}", payload=payload, reason=reason, context=context, scope=scope)
    deleted = any(fits(each, row, of) for each in plan.deleted)
    wordless = not (_has(mapped, "text") or _has(mapped, "title"))
    if deleted:
        content = () if wordless else _content(mapped, source)
        kept_payload = b"" if wordless else payload
        return Item(
            native_id=native_id, payload=kept_payload, content=content, context=context, scope=scope, deleted=True
        )
    wrong += [f"the row has no {name}" for name in plan.required if not _has(mapped, name)]
    if wordless:
        wrong.append("the row has neither text nor title")
    if wrong:
        return BadItem(native_id=native_id, payload=payload, reason="; ".join(wrong), context=context, scope=scope)
    return Item(native_id=native_id, payload=payload, content=_content(mapped, source), context=context, scope=scope)


def value_of(spec: Spec, row: Any, of: Mapping[str, Any], source: Source) -> Any:  # noqa: ANN401
    """Find one field in a row."""
    if isinstance(spec, Field) and spec.when is not None and not fits(spec.when, row, of):
        return None
    path = spec.path if isinstance(spec, Field) else spec
    value = _first(row, (path,) if isinstance(path, str) else path, of)
    if not isinstance(spec, Field):
        return value
    value = _shaped(value, spec, row, source) if value is not None else None
    return _first(row, (spec.otherwise,), of) if value is None and spec.otherwise is not None else value


def _first(row: Any, paths: Sequence[str], of: Mapping[str, Any]) -> Any:  # noqa: ANN401
    """Take the first that says something."""
    found = (value_at(row, path, of) for path in paths)
    return next((value for value in found if value not in (None, "", [], {})), None)


def _shaped(value: Any, spec: Field, row: Any, source: Source) -> Any:  # noqa: ANN401
    """Do to a value what the settings say."""
    if spec.query is not None:
        told = written(value)
        asked = told.partition("?")[2] if told.startswith(("/", "http://", "https://")) else told
        value = parse_qs(asked).get(spec.query, [None])[0]
    if spec.match is not None and value is not None:
        match = re.search(spec.match, written(value))
        value = match[1] if match else None
    if spec.values:
        value = spec.values.get(written(value), value)
    if spec.text is not None and value is not None:
        places = {**row, "url": getattr(source, "url", "")} if isinstance(row, dict) else {}
        value = templates.text(spec.text.replace("{}", "{@value}"), {**places, "@value": value})
    return value


def moment_at(spec: Spec, row: Any, of: Mapping[str, Any], source: Source) -> datetime | None:  # noqa: ANN401
    """Find a time in a row."""
    return _moment(value_of(spec, row, of, source), spec, source.zone)


def _moment(value: object, spec: Spec, zone: str) -> datetime | None:
    if not isinstance(spec, Field):
        return moment_of(value, zone)
    zone = spec.zone or zone
    if spec.date is None:
        moment = moment_of(value, zone)
    elif spec.date in _UNITS:
        moment = _epoch(value, _UNITS[spec.date])
    else:
        moment = _formatted(value, spec.date, zone)
    return moment if moment is None or not spec.shift else moment + timedelta(seconds=spec.shift)


def _epoch(value: object, units: int) -> datetime | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return datetime.fromtimestamp(float(value) / units, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _formatted(value: object, form: str, zone: str) -> datetime | None:
    try:
        local = datetime.strptime(written(value).strip(), form)  # noqa: DTZ007  its zone is put on below
        return (local if local.tzinfo else local.replace(tzinfo=ZoneInfo(zone))).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _mapped(row: Any, of: Mapping[str, Any], plan: Plan, source: Source, wrong: list[str]) -> dict[str, Any]:  # noqa: ANN401
    mapped: dict[str, Any] = {}
    for name, spec in plan.fields.items():
        value = value_of(spec, row, of, source)
        if name in TIMES:
            if says_no(value) or is_never(value):
                continue
            moment = _moment(value, spec, source.zone)
            if moment is None:
                wrong.append(f"{name} is not a time")
                continue
            value = f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"
        if name == "attachments":
            value = _absolute(value, source)
        if value is not None:
            mapped[name] = value if name in _AS_IT_IS else _text(value)
    return mapped


def _absolute(value: Any, source: Source) -> Any:  # noqa: ANN401
    """Addresses as a page has them, relative to the source's own."""
    home = f"{str(getattr(source, 'url', '')).rstrip('/')}/"
    if isinstance(value, str) and re.match(r"[\w./-]+$", value):
        return urljoin(home, value)
    return [_absolute(each, source) for each in value] if isinstance(value, list) else value


def _text(value: object) -> str:
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return "\n".join(value)
    return msgspec.json.encode(value).decode() if isinstance(value, dict | list) else written(value)


def _has(mapped: Mapping[str, Any], name: str) -> bool:
    return bool(str(mapped.get(name, "")).strip())


def _content(mapped: Mapping[str, Any], source: Source) -> tuple[str, ...]:
    """In mode `follow` the source's own 承办单位 stands: another one is news."""
    names = (*CONTENT, "department") if source.mode is Mode.FOLLOW else CONTENT
    attached = mapped.get("attachments")
    return (*(written(mapped.get(name)) for name in names), msgspec.json.encode(attached).decode() if attached else "")
