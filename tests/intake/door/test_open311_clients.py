"""The PyPI clients `georeport` and `three` work against our endpoint, in JSON and XML; so does our own client."""

from __future__ import annotations

import asyncio
import io
import itertools
import os
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import mock
from xml.etree import ElementTree as ET

import aiohttp
import pytest
from georeport import GeoReport

from connectors.base import Request, Response
from connectors.channels.open311 import Open311, Open311Settings
from connectors.raw_appeal import Mode, RawAppeal, appeal_id
from normalizer.mappers import MAPPERS
from tests.connectors.push_recording import PNG
from tests.intake.door.conftest import KEY, Opened

FORMATS = pytest.mark.parametrize("format_", ["json", "xml"])


@pytest.fixture(scope="module")
def three() -> Any:
    """`three` is of Python 2 in one line: it imports what `filter` has been since."""
    with mock.patch.object(itertools, "ifilter", filter, create=True):
        import three  # noqa: PLC0415
    return three


@pytest.fixture(scope="module")
async def known(opened: Opened, session: aiohttp.ClientSession) -> list[str]:
    """Two requests, each in a department's queue."""
    form = {"api_key": KEY, "service_code": "0203", "address_string": "望湖区柳荫街道", "lat": "31.2", "long": "120.1"}
    ids = []
    for words in ("楼下的垃圾桶三天没有人来清运，臭得不能开窗。", "公园门口的垃圾满地都是，没有人打扫。"):
        url = f"{opened.url}/open311/open311/requests.json"
        async with session.post(url, data=form | {"description": words}) as answer:
            ids.append((await answer.json())[0]["service_request_id"])
    for id_ in ids:
        await opened.case(id_)
    return ids


async def call(step: Callable[..., Any], *words: Any, **named: Any) -> Any:
    """The clients block: they run beside the street's loop."""
    environment = {"OPEN311_API_KEY": "", "GEOREPORT_API_KEY": ""}
    with mock.patch.dict(os.environ, environment):
        return await asyncio.to_thread(step, *words, **named)


@FORMATS
async def test_georeport_lists_services_and_requests(opened: Opened, known: list[str], format_: str) -> None:
    client = GeoReport(f"{opened.url}/open311/open311", jurisdiction="yunze", output_format=format_)

    services = await call(client.get_service_list)
    assert {"0203"} <= {each["service_code"] for each in services}
    definition = await call(client.get_service_definition, "0203")
    assert definition["service_code"] == "0203"
    both = await call(client.get_service_requests, service_request_id=",".join(known))
    assert {each["service_request_id"] for each in both} == set(known)
    lately = f"{datetime.now(UTC) - timedelta(days=7):%Y-%m-%dT%H:%M:%SZ}"
    found = await call(client.get_service_requests, service_code="0203", start_date=lately, status="open")
    assert {each["service_request_id"] for each in found} >= set(known)
    one = await call(client.get_service_request, known[0])
    assert one["service_request_id"] == known[0]
    assert one["status"] == "open"


async def test_three_reads_json(opened: Opened, known: list[str], three: Any) -> None:
    client = three.Three(f"{opened.url}/open311/open311", jurisdiction="yunze")

    discovered = await call(client.discovery)
    assert discovered["endpoints"]
    assert {"0203"} <= {each["service_code"] for each in await call(client.services)}
    assert (await call(client.services, "0203"))["service_code"] == "0203"
    assert len(await call(client.requests, count=1)) == 1
    assert {each["service_request_id"] for each in await call(client.requests)} >= set(known)
    today = datetime.now(UTC).strftime("%m-%d-%Y")
    assert await call(client.requests, start=today, end="12-31-2036", service_request_id=known[0])
    assert (await call(client.request, known[0]))[0]["service_request_id"] == known[0]
    assert (await call(client.token, known[0]))[0]["service_request_id"] == known[0]


async def test_three_reads_xml(opened: Opened, known: list[str], three: Any) -> None:
    """It asks well, but takes XML apart by a call that Python 3 no longer has: so it hands out the text."""
    client = three.Three(f"{opened.url}/open311/open311", format="xml")

    services = ET.fromstring(await call(client.services, convert=False))
    assert services.tag == "services"
    requests = ET.fromstring(await call(client.requests, convert=False))
    assert {each.findtext("service_request_id") for each in requests} >= set(known)
    one = ET.fromstring(await call(client.request, known[0], convert=False))
    assert one.findtext("request/service_request_id") == known[0]
    token = ET.fromstring(await call(client.token, known[0], convert=False))
    assert token.findtext("request/token") == known[0]


@pytest.mark.parametrize("media", [None, PNG])
async def test_three_posts_a_form_with_and_without_a_picture(opened: Opened, three: Any, media: bytes | None) -> None:
    client = three.Three(f"{opened.url}/open311/open311", api_key=KEY)
    named = {} if media is None else {"media": io.BytesIO(media)}

    form = {"address": "望湖区柳荫街道", "name": "玉兰 孙", "phone": "13800001234", "description": "路灯坏了一周。"}
    (posted,) = await call(client.post, "0301", **form, **named)

    case = await opened.case(posted["service_request_id"])
    assert case["source"] == "open311"
    appeal = await opened.db.appeals.find_one({"_id": posted["service_request_id"]})
    assert len(appeal["attachments"]) == (media is not None)
    assert (await call(client.request, posted["service_request_id"]))[0]["description"] == appeal["text"]


async def test_a_wrong_key_is_told_to_three(opened: Opened, three: Any) -> None:
    client = three.Three(f"{opened.url}/open311/open311", api_key="guessed")

    (error,) = await call(client.post, "0301", address="望湖区", description="路灯坏了。")

    assert error["code"] == 403


@FORMATS
async def test_our_own_client_reads_our_output_back_unchanged(
    opened: Opened, session: aiohttp.ClientSession, known: list[str], format_: str
) -> None:
    settings = Open311Settings(
        name="back", kind="open311", channel="app", mode=Mode.HISTORY, zone="Asia/Shanghai",
        url=f"{opened.url}/open311/open311", start="2026-11-01", format=format_,  # type: ignore[arg-type]
    )  # fmt: skip

    async def fetch(request: Request) -> Response:
        async with session.get(request.url, params=dict(request.query)) as answer:
            headers = {name.lower(): value for name, value in answer.headers.items()}
            return Response(
                status=answer.status, headers=headers, body=await answer.read(), fetched_at=datetime.now(UTC)
            )

    read = {item.native_id: item async for item in items(Open311(settings, fetch, {}))}

    assert read.keys() >= set(known)
    for id_ in known:
        ours = await opened.db.appeals.find_one({"_id": id_})
        draft = MAPPERS["open311"](
            RawAppeal(
                id=appeal_id("back", id_), source="back", kind="open311", channel="app", native_id=id_,
                payload=read[id_].payload,
            )
        )  # fmt: skip
        assert draft.text == ours["text"]
        assert draft.address == ours["place"]["raw"]
        assert draft.given is not None
        assert (draft.given.code, draft.given.name) == (ours["category"]["code"], ours["category"]["name"])
        assert draft.location is not None
        assert (draft.location.lat, draft.location.lng) == (31.2, 120.1)
        assert draft.posted_at == ours["posted_at"].isoformat(timespec="seconds").replace("+00:00", ".000Z")
        assert draft.reply_text is None


async def items(connector: Open311) -> AsyncIterator[Any]:
    async for page in connector.pages(None):
        assert page.bad == ()
        for item in page.items:
            yield item
