"""Answering a comment under the news (评论回复): as the city's own account, beneath the comment, once.

Waline knows no ids of ours. So the thread is read first: where our account has written this very reply beneath this
comment already, that one is the receipt.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from connectors.answering.words import bare
from connectors.base import Answer, Fetch, Receipt, Request, Response
from connectors.errors import AccessDenied, FormatChanged, RateLimited, SourceDown
from connectors.reading.encoding import json_of

PAGE = 100
MOST_PAGES = 200


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """In whose name the city writes."""

    name: str
    mail: str
    token: str | None = None


class WalineAnswers:
    """Writes replies on one Waline server."""

    def __init__(self, name: str, url: str, account: Account, fetch: Fetch) -> None:
        self._where = f"source {name}: {url}"
        self._url = url
        self._account = account
        self._fetch = fetch

    async def answer(self, native_id: str, context: Mapping[str, str], answer: Answer) -> Receipt:
        """Reply beneath one comment."""
        path = context.get("path", "")
        root = await self._thread(path, native_id)
        words = answer.reply or ""
        for row in _flat([root]):
            if str(row.get("pid") or "") == native_id and self._is_ours(row, words):
                return Receipt(id=str(row.get("objectId")), at=answer.at)
        return await self._write(path, native_id, root, words)

    async def _thread(self, path: str, native_id: str) -> dict[str, Any]:
        """Find the root beneath which the comment stands."""
        for number in range(1, MOST_PAGES):
            query = {"path": path, "page": str(number), "pageSize": str(PAGE), "sortBy": "insertedAt_asc"}
            data = self._data(await self._fetch(Request(url=self._url, query=query)))
            rows = [row for row in data.get("data") or [] if isinstance(row, dict)]
            for root in rows:
                if any(str(row.get("objectId")) == native_id for row in _flat([root])):
                    return root
            if number >= int(data.get("totalPages") or 0):
                break
        raise FormatChanged(f"{self._where}: the comment is not there any more; its author or a moderator took it away")

    async def _write(self, path: str, native_id: str, root: Mapping[str, Any], words: str) -> Receipt:
        row = next(row for row in _flat([root]) if str(row.get("objectId")) == native_id)
        account = self._account
        body = {
            "comment": words,
            "nick": account.name,
            "mail": account.mail,
            "link": "",
            "url": path,
            "ua": "intake",
            "pid": row["objectId"],
            "rid": root["objectId"],
            "at": str(row.get("nick") or ""),
        }
        headers = {"Content-Type": "application/json"}
        if account.token:
            headers["Authorization"] = f"Bearer {account.token}"
        response = await self._fetch(
            Request(url=self._url, method="POST", headers=headers, body=msgspec.json.encode(body), once=True)
        )
        data = self._data(response)
        return Receipt(id=str(data.get("objectId")), at=response.fetched_at)

    def _is_ours(self, row: Mapping[str, Any], words: str) -> bool:
        said = str(row.get("orig") or row.get("comment") or "")
        return row.get("nick") == self._account.name and bare(words) in bare(said)

    def _data(self, response: Response) -> dict[str, Any]:
        body = json_of(response, self._where)
        number = body.get("errno") if isinstance(body, dict) else None
        if number == 0 and isinstance(data := body.get("data"), dict):
            return data
        said = str(body.get("errmsg", "")).lower() if isinstance(body, dict) else ""
        if number in {401, 403}:
            raise AccessDenied(f"{self._where} does not let the city's account write; check `answer_token_env`")
        if "too" in said or "频繁" in said:
            raise RateLimited(f"{self._where} asks for patience", 60.0)
        raise SourceDown(f"{self._where} did not take the reply (errno {number}); it is sent again")


def _flat(rows: list[Any]) -> Iterator[dict[str, Any]]:
    for row in rows:
        if isinstance(row, dict):
            yield row
            yield from _flat(list(row.get("children") or []))
