"""A declared answer (声明式回写): `[source.write_back]` says what to send where; a new platform needs no Python."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import msgspec

from connectors.answering.table import AnswerTable
from connectors.answering.words import bare
from connectors.base import Answer, Fetch, Receipt, Request, Response
from connectors.channels.http_json import templates
from connectors.channels.http_json.paths import look
from connectors.errors import FormatChanged, SourceDown
from connectors.reading.encoding import json_of


class DeclaredAnswers:
    """Sends what the table says."""

    def __init__(self, name: str, table: AnswerTable, fetch: Fetch, environment: Mapping[str, str]) -> None:
        self._name = name
        self._table = table
        self._fetch = fetch
        self._key = environment.get(table.key_env, "") if table.key_env else ""

    async def answer(self, native_id: str, context: Mapping[str, str], answer: Answer) -> Receipt:
        """Tell the source about one item."""
        values = values_of(self._table, native_id, context, answer, self._key)
        if self._table.seen_url is not None and answer.reply is not None:
            asked = Request(
                url=templates.text(self._table.seen_url, values, quoted=True) or "",
                headers=templates.table(self._table.headers, values),
            )
            there = await self._fetch(asked)
            if stands(json_of(there, f"source {self._name}: seen_url"), values):
                return Receipt(id=None, at=there.fetched_at)
        response = await self._fetch(request_of(self._table, native_id, context, answer, self._key))
        return receipt_of(response, self._table, self._name)


def request_of(table: AnswerTable, native_id: str, context: Mapping[str, str], answer: Answer, key: str) -> Request:
    """Write the request."""
    values = values_of(table, native_id, context, answer, key)
    body, headers = None, templates.table(table.headers, values)
    if table.json:
        body = msgspec.json.encode(templates.body(table.json, values))
        headers = {"Content-Type": "application/json"} | headers
    elif table.form:
        body = urlencode(templates.table(table.form, values)).encode()
        headers = {"Content-Type": "application/x-www-form-urlencoded"} | headers
    return Request(
        url=templates.text(table.url, values, quoted=True) or "",
        query=templates.table(table.query, values),
        headers=headers,
        method=table.method,
        body=body,
        once=True,
    )


def values_of(
    table: AnswerTable, native_id: str, context: Mapping[str, str], answer: Answer, key: str
) -> dict[str, Any]:
    """Give what the places of a table stand for."""
    return {
        "native_id": native_id,
        "number": int(native_id) if native_id.isdecimal() else None,
        "context": dict(context),
        "id": answer.id,
        "status": table.statuses.get(answer.status, answer.status),
        "reply": answer.reply,
        "at": answer.at.isoformat(timespec="milliseconds"),
        "name": table.name,
        "key": key,
    }


def stands(body: Any, values: Mapping[str, Any]) -> bool:  # noqa: ANN401 - whatever the source sent
    """Say whether some row there is in our name, says this reply, and names the item that it replies to."""
    if isinstance(body, list):
        return any(stands(each, values) for each in body)
    if not isinstance(body, dict):
        return False
    told = [each for each in body.values() if not isinstance(each, dict | list)]
    words = bare(values["reply"])
    ours = values["name"] in told and any(isinstance(each, str) and words in bare(each) for each in told)
    if ours and (values["native_id"] in told or (values["number"] is not None and values["number"] in told)):
        return True
    return any(stands(each, values) for each in body.values())


def receipt_of(response: Response, table: AnswerTable, name: str) -> Receipt:
    """Read what it answered; an answer of 2xx that says no in its body is no receipt."""
    where = f"source {name}: the answer to an answer"
    if response.status >= 400:  # noqa: PLR2004 - 404 and 410 come through: there they mean something to a reader
        raise FormatChanged(f"{where}: {response.status}; check `url` of [source.write_back], or the item is gone")
    if not (table.receipt or table.ok_path):
        return Receipt(id=None, at=response.fetched_at)
    body = json_of(response, where)
    if table.ok_path and look(body, table.ok_path) not in table.ok_is:
        raise SourceDown(f"{where} says that it was not taken; it is sent again")
    found = look(body, table.receipt) if table.receipt else None
    return Receipt(id=None if found is None else str(found)[:200], at=response.fetched_at)
