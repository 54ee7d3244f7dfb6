"""GeoReport v2 on the wire: its records, in JSON and in XML, by the names of the standard. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal
from xml.etree import ElementTree as ET

import msgspec
from aiohttp import web

from connectors.receiving.contract import Refused
from intake.door.looking import Shown
from normalizer.appeal import RequestType
from normalizer.tables import Class
from router.dispatch import SHANGHAI
from router.dispatching.directory import Directory

Format = Literal["json", "xml"]
TYPES: Mapping[str, str] = {"json": "application/json", "xml": "text/xml"}
#: Digits of a degree that are shown: a hundred metres, and nobody's door.
DIGITS = 3


class Service(msgspec.Struct, frozen=True, kw_only=True):
    """服务: one class of ours."""

    service_code: str
    service_name: str
    description: str
    metadata: bool = False  #: no further questions are asked
    type: str = "realtime"
    keywords: str
    group: str


class Definition(msgspec.Struct, frozen=True, kw_only=True):
    """服务定义: no further questions are asked."""

    service_code: str
    attributes: list[str] = []


class ServiceRequest(msgspec.Struct, frozen=True, kw_only=True):
    """服务请求: what is public of a request, masked."""

    service_request_id: str
    status: Literal["open", "closed"]
    status_notes: str | None
    service_name: str
    service_code: str
    description: str
    agency_responsible: str | None
    service_notice: None = None
    requested_datetime: str | None
    updated_datetime: str
    expected_datetime: None = None
    address: str | None
    address_id: None = None
    zipcode: None = None
    lat: float | None
    long: float | None
    media_url: None = None  #: pictures show people: they are for those who work on it


class Posted(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The answer to a post (受理回执)."""

    service_request_id: str | None = None
    token: str | None = None
    service_notice: str = ""
    account_id: str = ""


class Token(msgspec.Struct, frozen=True, kw_only=True):
    """凭条: what a token stands for, once it is known."""

    service_request_id: str | None
    token: str


class Error(msgspec.Struct, frozen=True, kw_only=True):
    """The standard's error (出错)."""

    code: int
    description: str


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """One endpoint of the discovery document (发现)."""

    specification: str = "http://wiki.open311.org/GeoReport_v2"
    url: str
    changeset: str
    type: str = "production"
    formats: tuple[str, ...] = ("text/xml", "application/json")


class Discovery(msgspec.Struct, frozen=True, kw_only=True):
    """发现文档."""

    changeset: str
    contact: str
    key_service: str
    endpoints: list[Endpoint]


Record = Service | Definition | ServiceRequest | Posted | Token | Error | Discovery


def service_of(known: Class) -> Service:
    """Tell of a class."""
    return Service(
        service_code=known.code,
        service_name=known.name,
        description=f"{known.path[0]}：{known.name}",
        keywords=",".join(dict.fromkeys([*known.path, known.name])),
        group=known.path[0],
    )


def is_public(shown: Shown) -> bool:
    """Say whether anybody may see it: nothing that its author wants kept, and no 举报."""
    return not shown.appeal.citizen.confidential and shown.appeal.request_type is not RequestType.REPORT


def request_of(shown: Shown, directory: Directory) -> ServiceRequest:
    """Tell what is public of one."""
    appeal, face, spot = shown.appeal, shown.face, shown.appeal.place.location
    unit = directory.get(shown.department) if shown.department else None
    parts = (appeal.place.district, appeal.place.street, appeal.place.community, appeal.place.poi)
    return ServiceRequest(
        service_request_id=appeal.id,
        status=face.status,
        status_notes=face.reply,
        service_name=appeal.category.name,
        service_code=appeal.category.code,
        description=appeal.text,
        agency_responsible=unit.name if unit is not None else None,
        requested_datetime=_local(datetime.fromisoformat(appeal.posted_at)) if appeal.posted_at else None,
        updated_datetime=_local(face.updated_at),
        address=appeal.place.raw or "".join(part for part in parts if part) or None,
        lat=round(spot.lat, DIGITS) if spot else None,
        long=round(spot.lng, DIGITS) if spot else None,
    )


def answer(format_: Format, root: str, row: str, records: Sequence[Record], status: int = 200) -> web.Response:
    """Answer a list of records, as most answers of the standard are."""
    if format_ == "json":
        return _response(format_, msgspec.json.encode(records), status)
    made = ET.Element(root)
    for record in records:
        _into(ET.SubElement(made, row), msgspec.to_builtins(record))
    return _response(format_, _xml(made), status)


def answer_one(format_: Format, root: str, record: Record) -> web.Response:
    """Answer one record that is no list."""
    if format_ == "json":
        return _response(format_, msgspec.json.encode(record), 200)
    made = ET.Element(root)
    _into(made, msgspec.to_builtins(record))
    return _response(format_, _xml(made), 200)


def errors(format_: Format, refused: Refused) -> web.Response:
    """Answer the standard's list of errors."""
    found = [Error(code=refused.status, description=each) for each in refused.reason.split("; ")]
    return answer(format_, "errors", "error", found, refused.status)


def _local(moment: datetime) -> str:
    return moment.astimezone(SHANGHAI).isoformat(timespec="seconds")


_ROWS = {"endpoints": "endpoint", "formats": "format", "attributes": "attribute"}


def _into(element: ET.Element, told: Mapping[str, object]) -> None:
    for name, value in told.items():
        child = ET.SubElement(element, name)
        if isinstance(value, list | tuple):
            for each in value:
                row = ET.SubElement(child, _ROWS[name])
                if isinstance(each, dict):
                    _into(row, each)
                else:
                    row.text = _text(each)
        else:
            child.text = _text(value)


def _text(value: object) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else _clean(str(value))


def _clean(words: str) -> str:
    """XML 1.0 cannot hold most control characters, not even as references."""
    return (
        "".join(each for each in words if each >= " " or each in "\t\n\r").replace("\ufffe", "").replace("\uffff", "")
    )


def _xml(root: ET.Element) -> bytes:
    return b'<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(root, encoding="unicode").encode()


def _response(format_: Format, body: bytes, status: int) -> web.Response:
    return web.Response(body=body, status=status, content_type=TYPES[format_], charset="utf-8")
