"""The JSON Schemas that `intake schema` prints, with titles in Chinese and English (数据格式)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

import msgspec

from normalizer.appeal import Appeal
from router.dispatching.crosswalk import Crosswalk, OwnCategory, Row
from router.dispatching.directory import Directory
from router.dispatching.outcome import OutcomeEvent
from router.dispatching.statement import StatementEvent
from router.dispatching.titles import FIELDS, RECORDS
from router.dispatching.told import CaseEvent
from router.feedback import Feedback

What = Literal["appeal", "dispatch", "feedback", "outcome", "statement"]
DIALECT = "https://json-schema.org/draft/2020-12/schema"
_ROOTS: Mapping[str, Any] = {
    "appeal": Appeal,
    "dispatch": CaseEvent,
    "feedback": Feedback,
    "outcome": OutcomeEvent,
    "statement": StatementEvent,
}
_NAMES = {
    "appeal": "诉求 · Appeal, version 1",
    "dispatch": "派给部门的消息 · Message to a department, version 1",
    "feedback": "部门反馈 · Feedback of a department, version 1",
    "outcome": "反馈的结果 · Outcome of a feedback, version 1",
    "statement": "每日对账单 · Daily statement for a department, version 1",
}


def schema(what: What) -> dict[str, Any]:
    """Make one JSON Schema. Unknown fields are to be ignored by whoever reads such a record."""
    made = msgspec.json.schema(_ROOTS[what])
    for name, record in made.get("$defs", {}).items():
        made["$defs"][name] = titled(name, record)
    return {"$schema": DIALECT, "$id": f"urn:intake:schema:{what}:1", "title": _NAMES[what], **made}


def titled(name: str, record: dict[str, Any]) -> dict[str, Any]:
    """Give a record and its fields their titles in both languages."""
    fields = {field: {"title": _title(field, FIELDS), **shape} for field, shape in record.get("properties", {}).items()}
    return {**record, "title": _title(name, RECORDS), **({"properties": fields} if fields else {})}


def _title(name: str, titles: Mapping[str, str]) -> str:
    chinese = titles.get(name)
    return f"{chinese} · {name}" if chinese else name


class UnitListed(msgspec.Struct, frozen=True, kw_only=True):
    """One of our units, and what the department calls it."""

    code: str
    name: str
    theirs: Row


class CategoryMatched(msgspec.Struct, frozen=True, kw_only=True):
    """One of our categories, and the department's; null where it has none."""

    code: str
    name: str
    own: OwnCategory | None


def crosswalk_list(crosswalk: Crosswalk, taxonomy: str, categories: Iterable[CategoryListed], units: Directory) -> Any:  # noqa: ANN401 - JSON
    """Make one department's table of `intake schema crosswalk`, whole: what is not matched is seen."""
    return {
        "title": "代码对照 · Theirs and ours",
        "scheme": crosswalk.scheme,
        "version": crosswalk.version,
        "taxonomy": taxonomy,
        "categories": [
            CategoryMatched(code=each.code, name=each.name, own=crosswalk.own(each.code)) for each in categories
        ],
        "units": [
            UnitListed(code=code, name=units.units[code].name, theirs=row) for code, row in crosswalk.units.items()
        ],
    }


class CategoryListed(msgspec.Struct, frozen=True, kw_only=True):
    """One category as the front door hands it over: the taxonomy is the normalizer's."""

    code: str
    name: str
    path: list[str]


def coded_list(version: str, categories: Iterable[CategoryListed], leads: Mapping[str, str]) -> dict[str, Any]:
    """Make the coded list of `intake schema taxonomy`; `leads` are the roles that lead by default."""
    return {
        "title": "诉求分类 · Categories of appeals",
        "version": version,
        "categories": [
            {"code": item.code, "name": item.name, "path": item.path, "lead": leads.get(item.code)}
            for item in categories
        ],
    }
