"""Replies written back to real comment servers: they stand beneath their comment, once, and are not read as appeals."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from connectors.answering.declared import DeclaredAnswers
from connectors.asking.http import fetch_for
from connectors.asking.session import addresses_of, open_session
from connectors.base import Answer, Answers
from connectors.registry import REGISTRY
from connectors.source import Source
from tests.live.sites.isso import Isso
from tests.live.sites.site import Site
from tests.live.sites.waline import ADMINISTRATOR, Waline

pytestmark = [pytest.mark.live, pytest.mark.timeout(900)]
WORDS = "已安排养护单位修复，三日内恢复照明。"
NAME = "云泽市12345"
ISSO_ANSWER: dict[str, Any] = {
    "url": "{url}/new?uri={{context.each}}",
    "seen_url": "{url}/?uri={{context.each}}&parent={{native_id}}&plain=1",
    "public": True,
    "name": NAME,
    "receipt": "id",
    "json": {"text": "{reply}", "author": "{name}", "parent": "{number}", "title": "-"},
}


def source_of(site: Site, **more: Any) -> Source:
    (table,) = tomllib.loads(site.settings)["source"]
    source: Source = msgspec.convert(table | more, REGISTRY[table["kind"]].settings)
    assert source.problems() == []
    return source


async def answer_twice(source: Source, native_id: str, environment: Mapping[str, str]) -> set[str]:
    """Answer as a worker that was killed and one after it; then read, and give the ids that are read."""
    async with open_session([source]) as session:
        fetch = fetch_for(source, addresses_of(source), session, contact="c", now=lambda: datetime.now(UTC))
        kind = REGISTRY[source.kind]
        assert kind.open is not None
        connector = kind.open(source, fetch, environment)
        read = {item.native_id: item async for page in connector.pages(None) for item in page.items}
        table = source.answers()
        way: Any = DeclaredAnswers(source.name, table, fetch, environment) if table else connector
        answers: Answers = way
        answer = Answer(id="a" * 32, status="in_progress", reply=WORDS, at=datetime.now(UTC))
        for _ in range(2):
            await answers.answer(native_id, read[native_id].context, answer)
        return {
            item.native_id async for page in kind.open(source, fetch, environment).pages(None) for item in page.items
        }


async def test_isso_is_answered_beneath_the_comment_and_once(an_isso: Isso) -> None:
    asked = [an_isso.post("题", f"路灯不亮第{number}盏") for number in range(3)]
    url = an_isso._browser.url
    table = {name: value.format(url=url) if name.endswith("url") else value for name, value in ISSO_ANSWER.items()}
    source = source_of(an_isso, write_back=table, skip=[{"path": "author", "is": [NAME]}])
    read = await answer_twice(source, asked[1], {})
    said = [text for text in an_isso.living().values() if WORDS in text]
    assert len(said) == 1
    assert read == set(asked)


async def test_waline_is_answered_by_the_city_s_account_and_once(a_waline: Waline) -> None:
    asked = [a_waline.post("题", f"路灯不亮第{number}盏") for number in range(3)]
    asked.append(a_waline.post("题", "我家也是", to=asked[1]))
    token = a_waline._rights["Authorization"].removeprefix("Bearer ")
    source = source_of(
        a_waline,
        answer_as=ADMINISTRATOR["display_name"],
        answer_mail=ADMINISTRATOR["email"],
        answer_token_env="TOKEN",
    )
    read = await answer_twice(source, asked[3], {"TOKEN": token})
    said = [text for text in a_waline.living().values() if WORDS in text]
    assert len(said) == 1
    assert read == set(asked)
