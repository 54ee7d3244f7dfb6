"""Civic apps at our Open311 endpoint: posting, finding, refusing, in both formats."""

from __future__ import annotations

import json
from typing import Any
from xml.etree import ElementTree as ET

import aiohttp
import pytest

from connectors.raw_appeal import appeal_id
from intake.rights.accesses import who_saw
from tests.connectors.push_recording import PNG
from tests.intake.door.conftest import KEY, Opened

POST = {
    "api_key": KEY, "service_code": "0203", "lat": "31.22013", "long": "120.11027", "first_name": "玉兰",
    "last_name": "孙", "address_string": "望湖区柳荫街道柳荫社区", "phone": "13800001234", "email": "sun@example.com",
    "description": "楼下的垃圾桶三天没有人来清运，臭得不能开窗，请打13800001234联系我。",
}  # fmt: skip


async def ask(session: aiohttp.ClientSession, opened: Opened, path: str, **query: str) -> tuple[int, Any]:
    async with session.get(f"{opened.url}/open311/{path}", params=query) as answer:
        body = await answer.read()
        return answer.status, json.loads(body) if ".json" in path else ET.fromstring(body)


async def post(
    session: aiohttp.ClientSession, opened: Opened, path: str = "open311/requests.json", **fields: Any
) -> tuple[int, Any]:
    async with session.post(f"{opened.url}/open311/{path}", data=POST | fields) as answer:
        body = await answer.read()
        return answer.status, json.loads(body) if ".json" in path else ET.fromstring(body)


async def posted(session: aiohttp.ClientSession, opened: Opened, **fields: Any) -> str:
    """Post one and wait until it is in a department's queue, or wherever it ends."""
    status, answer = await post(session, opened, **fields)
    assert status == 201, answer
    await opened.case(answer[0]["service_request_id"])
    return str(answer[0]["service_request_id"])


async def test_services_are_our_classes_and_their_groups(opened: Opened, session: aiohttp.ClientSession) -> None:
    status, services = await ask(session, opened, "open311/services.json", jurisdiction_id="yunze")

    assert status == 200
    assert len({each["group"] for each in services}) == 13
    assert {"service_code", "service_name", "description", "metadata", "type", "keywords", "group"} == set(services[0])
    _, as_xml = await ask(session, opened, "open311/services.xml")
    assert [each.findtext("service_code") for each in as_xml] == [each["service_code"] for each in services]
    assert as_xml[0].findtext("metadata") == "false"
    _, one = await ask(session, opened, "open311/services/0203.json")
    assert one == {"service_code": "0203", "attributes": []}


async def test_a_post_reaches_a_department_and_can_be_read_back(opened: Opened, session: aiohttp.ClientSession) -> None:
    id_ = await posted(session, opened)

    status, (row,) = await ask(session, opened, f"open311/requests/{id_}.json")
    assert status == 200
    assert row["service_request_id"] == id_
    assert (row["service_code"], row["status"]) == ("0203", "open")
    assert (row["lat"], row["long"]) == (31.22, 120.11)
    assert row["requested_datetime"].endswith("+08:00")
    assert (await opened.case(id_))["state"] == "delivered"
    assert row["agency_responsible"]


async def test_that_anybody_may_read_it_is_told_once_and_of_a_confidential_one_it_is_not(
    opened: Opened, session: aiohttp.ClientSession
) -> None:
    id_ = await posted(session, opened)
    for _ in range(3):
        await ask(session, opened, f"open311/requests/{id_}.json")
    (sight,) = [each for each in await who_saw(opened.db, id_) if each.who == "公众（Open311）"]
    assert "正文" in sight.what
    await opened.db.appeals.update_one({"_id": id_}, {"$set": {"citizen.confidential": True}})
    assert not [each for each in await who_saw(opened.db, id_) if each.who == "公众（Open311）"]


async def test_nothing_personal_is_shown(opened: Opened, session: aiohttp.ClientSession) -> None:
    id_ = await posted(session, opened)

    for path in (f"open311/requests/{id_}", "open311/requests"):
        for format_ in ("json", "xml"):
            async with session.get(f"{opened.url}/open311/{path}.{format_}") as answer:
                told = await answer.text()
            assert id_ in told
            assert not [word for word in ("13800001234", "sun@", "玉兰", "31.2201") if word in told]


async def test_a_report_of_misconduct_is_not_shown_at_all(opened: Opened, session: aiohttp.ClientSession) -> None:
    words = "举报望湖区某局科长张某收受贿赂、吃拿卡要，请纪委查处。"
    id_ = await posted(session, opened, description=words, service_code="1301")
    appeal = await opened.db.appeals.find_one({"_id": id_})
    assert appeal["citizen"]["confidential"] or appeal["request_type"] == "report"

    status, answer = await ask(session, opened, f"open311/requests/{id_}.json")
    assert (status, answer[0]["code"]) == (404, 404)
    _, rows = await ask(session, opened, "open311/requests.json", service_request_id=id_)
    assert rows == []
    _, rows = await ask(session, opened, "open311/requests.json")
    assert id_ not in {row["service_request_id"] for row in rows}
    # Whoever guesses its id hears what is said of an id that is not there, word for word.
    nowhere = appeal_id("open311", "civic:guessed")
    for path in (
        "requests/{}.json",
        "requests/{}.xml",
        "tokens/{}.json",
        "tokens/{}.xml",
        "requests.json?service_request_id={}",
    ):
        heard = []
        for guessed in (id_, nowhere):
            async with session.get(f"{opened.url}/open311/open311/{path.format(guessed)}") as answer:
                heard.append((answer.status, (await answer.text()).replace(guessed, "…")))
        assert heard[0] == heard[1], path


async def test_both_formats_tell_the_same(opened: Opened, session: aiohttp.ClientSession) -> None:
    id_ = await posted(session, opened, description="第二单元\u0001门口的路灯 <坏> & 不亮。")

    _, (row,) = await ask(session, opened, f"open311/requests/{id_}.json")
    _, tree = await ask(session, opened, f"open311/requests/{id_}.xml")

    assert tree.tag == "service_requests"
    (request,) = tree
    assert request.tag == "request"
    written = {each.tag: each.text or "" for each in request}
    assert written == {name: "" if value is None else str(value) for name, value in row.items()}


async def test_requests_are_found_by_what_the_standard_says(opened: Opened, session: aiohttp.ClientSession) -> None:
    first = await posted(session, opened)
    second = await posted(session, opened, service_code="0301", description="小区门口的路灯坏了一周，晚上一片漆黑。")
    both = f"{first},{second}"

    async def ids(**query: str) -> list[str]:
        status, rows = await ask(session, opened, "open311/requests.json", **query)
        assert status == 200, rows
        return [row["service_request_id"] for row in rows]

    codes = {id_: (await opened.db.appeals.find_one({"_id": id_}))["category"]["code"] for id_ in (first, second)}
    assert set(await ids(service_request_id=both)) == {first, second}
    assert first in await ids(service_code=codes[first])
    assert second not in await ids(service_code=codes[first]) or codes[first] == codes[second]
    assert {first, second} <= set(await ids(status="open"))
    assert await ids(status="closed") == []
    _, (row,) = await ask(session, opened, f"open311/requests/{second}.json")
    at = row["requested_datetime"]
    assert second in await ids(start_date=at, end_date=at)
    assert await ids(start_date="2020-01-01T00:00:00Z", end_date="2020-02-01T00:00:00Z") == []
    assert second in await ids(updated_after=row["updated_datetime"])
    assert await ids(updated_after="2036-01-01T00:00:00Z") == []
    every = await ids()
    assert [*await ids(page_size="1"), *await ids(page_size="1", page="2")] == every[:2]


@pytest.mark.parametrize(
    ("path", "query", "code"),
    [
        ("requests", {"start_date": "2026-01-01T00:00:00Z", "end_date": "2026-06-01T00:00:00Z"}, 400),
        ("requests", {"start_date": "yesterday"}, 400),
        ("requests", {"end_date": "0001-01-01T00:00:00Z"}, 400),
        ("requests", {"start_date": "9999-12-31T00:00:00Z"}, 400),
        ("requests", {"start_date": "0001-01-01T00:00:00+14:00", "end_date": "0001-02-01T00:00:00Z"}, 400),
        ("requests", {"page": "0"}, 400),
        ("requests", {"jurisdiction_id": "elsewhere"}, 404),
        ("requests/nobody", {}, 404),
        ("services/9999", {}, 404),
        ("tokens/nobody", {}, 404),
    ],
)
async def test_no_is_said_as_the_standard_says_it(
    opened: Opened, session: aiohttp.ClientSession, path: str, query: dict[str, str], code: int
) -> None:
    status, errors = await ask(session, opened, f"open311/{path}.json", **query)
    assert (status, [each["code"] for each in errors]) == (code, [code])
    assert errors[0]["description"]
    status, tree = await ask(session, opened, f"open311/{path}.xml", **query)
    assert (status, tree.tag, [each.findtext("code") for each in tree]) == (code, "errors", [str(code)])


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"api_key": ""}, 403),
        ({"api_key": "guessed"}, 403),
        ({"service_code": ""}, 400),
        ({"service_code": "9999"}, 400),
        ({"lat": "", "long": "", "address_string": ""}, 400),
        ({"description": "长" * 4001}, 400),
        ({"jurisdiction_id": "elsewhere"}, 404),
    ],
)
async def test_a_post_that_lacks_something_is_refused_and_not_stored(
    opened: Opened, session: aiohttp.ClientSession, fields: dict[str, str], code: int
) -> None:
    before = await opened.db.raw.count_documents({})
    for format_ in ("json", "xml"):
        status, answer = await post(session, opened, f"open311/requests.{format_}", **fields)
        assert status == code
        assert [str(each["code"]) if format_ == "json" else each.findtext("code") for each in answer] == [str(code)]
    assert await opened.db.raw.count_documents({}) == before


async def test_a_picture_is_kept_sealed_without_its_maker(opened: Opened, session: aiohttp.ClientSession) -> None:
    form = aiohttp.FormData(POST | {"description": "照片里就是那个满了的垃圾桶。"})
    form.add_field("media", PNG, filename="家门口.png", content_type="image/png")
    async with session.post(f"{opened.url}/open311/open311/requests.json", data=form) as answer:
        assert answer.status == 201
        id_ = (await answer.json())[0]["service_request_id"]
    await opened.case(id_)

    (attachment,) = (await opened.db.appeals.find_one({"_id": id_}))["attachments"]
    assert (attachment["media_type"], attachment["kind"]) == ("image/png", "image")
    kept = await opened.media.open(id_, attachment["sha256"])
    assert kept is not None
    assert len(kept.body) == attachment["size"]
    assert b"taken at home" not in kept.body
    stored = await opened.db.media.find_one({"_id": f"{id_}/{attachment['sha256']}"})
    assert kept.body not in stored["sealed"]


async def test_a_token_gives_its_request_once_there_is_one(opened: Opened, session: aiohttp.ClientSession) -> None:
    status, (answer,) = await post(session, opened, "tokens/requests.json")
    assert status == 201
    assert "service_request_id" not in answer
    await opened.case(answer["token"])

    _, (known,) = await ask(session, opened, f"tokens/tokens/{answer['token']}.json")

    assert known == {"service_request_id": answer["token"], "token": answer["token"]}


async def test_the_same_key_of_idempotency_is_one_request(opened: Opened, session: aiohttp.ClientSession) -> None:
    url, headers = f"{opened.url}/open311/open311/requests.json", {"Idempotency-Key": "tap-1"}
    answers = []
    for _ in range(3):
        async with session.post(url, data=POST, headers=headers) as answer:
            answers.append(await answer.json())
    assert answers == [answers[0]] * 3
    assert await opened.db.raw.count_documents({"native_id": "civic:tap-1"}) == 1


async def test_discovery_names_the_endpoint(opened: Opened, session: aiohttp.ClientSession) -> None:
    _, found = await ask(session, opened, "open311/discovery.json")
    assert found["endpoints"][0]["url"].endswith("/open311/open311")
    assert found["endpoints"][0]["specification"] == "http://wiki.open311.org/GeoReport_v2"
