"""Slices of time, full ones halved, statuses in place, and the standard's own samples."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from connectors.base import Item, Page, Request, Response
from connectors.channels.open311 import LONGEST, Open311, Open311Settings, _grid, _scope
from connectors.channels.open311_rows import rows_of
from connectors.errors import AccessDenied, ConnectorError, FormatChanged, RateLimited, SourceDown
from connectors.raw_appeal import Mode, RawAppeal
from connectors.reading.times import moment_of
from normalizer.mappers import MAPPERS
from tests.connectors.recording import FETCHED, ids_of, position, read

#: The sample of the standard, with the trailing blank of its media_url.
SAMPLE = b"""<?xml version="1.0" encoding="utf-8"?>
<service_requests>
    <request>
        <service_request_id>638344</service_request_id>
        <status>closed</status>
        <status_notes>Duplicate request.</status_notes>
        <service_name>Sidewalk and Curb Issues</service_name>
        <service_code>006</service_code>
        <description></description>
        <agency_responsible></agency_responsible>
        <requested_datetime>2010-04-14T06:37:38-08:00</requested_datetime>
        <updated_datetime>2010-04-14T06:37:38-08:00</updated_datetime>
        <address>8TH AVE and JUDAH ST</address>
        <lat>37.762221815</lat>
        <long>-122.4651145</long>
        <media_url>http://city.gov.s3.amazonaws.com/requests/media/638344.jpg </media_url>
    </request>
</service_requests>"""
#: And the one in JSON, which is none: a number may not begin with a zero.
SAMPLE_JSON = b"""[{"service_request_id":638344, "status":"closed", "status_notes":"Duplicate request.",
 "service_name":"Sidewalk and Curb Issues", "service_code":006, "description":null,
 "requested_datetime":"2010-04-14T06:37:38-08:00", "updated_datetime":"2010-04-14T06:37:38-08:00",
 "address":"8TH AVE and JUDAH ST", "lat":37.762221815, "long":-122.4651145,
 "media_url":"http://city.gov.s3.amazonaws.com/requests/media/638344.jpg "}]"""

Row = dict[str, Any]


def settings(**further: Any) -> Open311Settings:
    told = {"name": "c", "kind": "open311", "channel": "app", "mode": "route", "zone": "Asia/Shanghai"}
    told |= {"url": "https://c.example", "start": "2026-01-01T00:00:00Z"}
    return msgspec.convert(told | further, Open311Settings)


def answer(body: bytes, status: int = 200) -> Response:
    return Response(status=status, headers={}, body=body, fetched_at=FETCHED)


def row(number: int, moment: datetime, **further: str) -> Row:
    made = f"{moment:%Y-%m-%dT%H:%M:%SZ}"
    told = {"service_request_id": str(number), "status": "open", "service_name": "n", "service_code": "1"}
    return {**told, "description": "d", "requested_datetime": made, "updated_datetime": made, **further}


class Server:
    """A server that hands out so many rows at most, newest first, as the standard says."""

    def __init__(self, rows: list[Row], most: int = 1000) -> None:
        self.rows = rows
        self.now = FETCHED
        self.asked: list[dict[str, str]] = []
        self._most = most

    async def fetch(self, request: Request) -> Response:
        query = dict(request.query)
        self.asked.append(query)
        kind = ("updated_after", "updated_before", "updated_datetime")
        after, before, field = kind if "updated_after" in query else ("start_date", "end_date", "requested_datetime")
        found = [each for each in self.rows if query[after] <= each[field] < query[before]]
        found.sort(key=lambda each: str(each[field]), reverse=True)
        return Response(status=200, headers={}, body=msgspec.json.encode(found[: self._most]), fetched_at=self.now)


async def read_all(server: Server, cursor: str | None = None, **further: Any) -> list[Page]:
    return await read(Open311(settings(**further), server.fetch, {}), cursor)


def items(pages: list[Page]) -> dict[str, Item]:
    return {item.native_id: item for page in pages for item in page.items}


@pytest.mark.parametrize("most", [1000, 500, 200])
async def test_every_request_is_read_although_an_answer_holds_only_the_first(most: int) -> None:
    """Also where a server cuts at another number than the standard's, without a word."""
    began = datetime(2026, 2, 1, tzinfo=UTC)
    crowd = [row(number, began + timedelta(seconds=number // 3)) for number in range(2600)]
    sparse = [row(9000 + number, began + timedelta(days=number)) for number in range(200)]
    server = Server(crowd + sparse, most)

    pages = await read_all(server)

    assert ids_of(pages) == {each["service_request_id"] for each in crowd + sparse}


async def test_no_slice_is_longer_than_the_standard_allows() -> None:
    server = Server([])

    await read_all(server, start="2020-01-01")

    moments = [(moment_of(each["start_date"], "UTC"), moment_of(each["end_date"], "UTC")) for each in server.asked]
    assert all(b is not None and a is not None and b - a <= LONGEST + timedelta(seconds=1) for a, b in moments)


async def test_more_in_one_second_than_an_answer_holds_is_told_not_lost() -> None:
    moment = datetime(2026, 2, 1, tzinfo=UTC)

    with pytest.raises(FormatChanged, match="raise `rows`"):
        await read_all(Server([row(number, moment) for number in range(1100)]))


async def test_a_hundred_in_one_second_are_a_round_number_by_chance() -> None:
    moment = datetime(2026, 2, 1, tzinfo=UTC)

    assert len(ids_of(await read_all(Server([row(number, moment) for number in range(100)])))) == 100


async def test_a_status_changes_in_place_long_after_its_request_was_made() -> None:
    server = Server([row(1, FETCHED - timedelta(days=80))])
    first = await read_all(server)
    server.rows = [row(1, FETCHED - timedelta(days=80), status="closed", status_notes="已修复")]
    server.now = FETCHED + timedelta(hours=7)

    second = await read_all(server, position(first))

    before, after = items(first)["1"], items(second)["1"]
    assert before.content == after.content
    assert before.payload != after.payload


async def test_where_updated_after_is_known_a_change_is_seen_at_the_next_reading() -> None:
    server = Server([row(1, FETCHED - timedelta(days=300))])
    first = await read_all(server, updated_after=True)
    server.rows[0] |= {"status": "closed", "updated_datetime": f"{FETCHED:%Y-%m-%dT%H:%M:%SZ}"}
    server.now = FETCHED + timedelta(minutes=1)

    second = await read_all(server, position(first), updated_after=True)

    assert b"closed" in items(second)["1"].payload


async def test_what_is_no_longer_shown_is_absent_from_a_complete_enumeration_of_its_days() -> None:
    kept, gone = row(1, FETCHED - timedelta(days=40)), row(2, FETCHED - timedelta(days=40))
    server = Server([kept, gone])
    first = await read_all(server)
    server.rows, server.now = [kept], FETCHED + timedelta(hours=7)

    second = await read_all(server, position(first))

    swept = {page.sweep.scope: page.sweep.native_ids for page in second if page.sweep}
    assert "2" not in swept[items(first)["2"].scope]
    assert "1" in swept[items(first)["1"].scope]


async def test_an_enumeration_in_halves_proves_no_more_absence_than_a_whole_one() -> None:
    """Else everything but the last half would count as taken back."""
    began = FETCHED - timedelta(days=60)
    server = Server([row(number, began + timedelta(minutes=number)) for number in range(2500)])
    first = await read_all(server)
    server.now = FETCHED + timedelta(hours=7)

    second = await read_all(server, position(first))

    scopes = {item.scope for item in items(first).values()}
    swept = {page.sweep.scope: page.sweep.native_ids for page in second if page.sweep}
    assert scopes <= set(swept)
    assert frozenset().union(*swept.values()) >= set(items(first))


@pytest.mark.parametrize("hours", [8, -8])
async def test_a_server_that_takes_our_times_for_local_ones_loses_nobody_at_the_edges(hours: int) -> None:
    """It hands out the last hours of a place with the next one, or the first with the one before."""
    edge = _grid(FETCHED)
    rows = [row(number, edge + timedelta(hours=number - 12)) for number in range(24)]
    rows += [row(100 + number, edge - LONGEST + timedelta(hours=number - 12)) for number in range(24)]
    server = Server(rows)

    async def fetch(request: Request) -> Response:
        shift = timedelta(hours=-hours)
        told = {name: datetime.fromisoformat(written) + shift for name, written in request.query.items()}
        moved = {name: f"{moment:%Y-%m-%dT%H:%M:%SZ}" for name, moment in told.items()}
        return await server.fetch(msgspec.structs.replace(request, query=moved))

    source = Open311(settings(), fetch, {})
    pages = await read(source, source.position_at(FETCHED))
    sweeps = {page.sweep.scope: page.sweep.native_ids for page in pages if page.sweep is not None}
    places = {each["service_request_id"]: _scope(datetime.fromisoformat(each["requested_datetime"])) for each in rows}

    assert len(sweeps) == 2
    assert {id_ for id_, place in places.items() if id_ not in sweeps.get(place, {id_})} == set()


async def test_a_quiet_reading_asks_once() -> None:
    server = Server([row(1, FETCHED - timedelta(days=40))])
    first = await read_all(server)
    asked = len(server.asked)

    await read_all(server, position(first))

    assert len(server.asked) == asked + 1


async def test_only_some_states_prove_no_absence() -> None:
    pages = await read_all(Server([row(1, FETCHED - timedelta(days=1))]), status=("open",))

    assert items(pages)["1"].scope == ""


async def test_a_server_that_ignores_the_dates_is_told() -> None:
    async def fetch(request: Request) -> Response:
        del request
        return answer(msgspec.json.encode([row(1, FETCHED)]))

    with pytest.raises(FormatChanged, match="ignores start_date"):
        await read(Open311(settings(), fetch, {}))


async def test_a_rewind_begins_at_its_moment() -> None:
    server = Server([])
    moment = FETCHED - timedelta(days=3)

    await read_all(server, Open311(settings(), server.fetch, {}).position_at(moment), overlap=0)

    assert server.asked[0]["start_date"] == f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def test_xml_and_json_of_the_standard_say_the_same() -> None:
    assert rows_of(answer(SAMPLE), "here") == rows_of(answer(SAMPLE_JSON), "here")


@pytest.mark.parametrize(
    ("code", "error"), [("403", AccessDenied), ("429", RateLimited), ("500", SourceDown), ("400", FormatChanged)]
)
@pytest.mark.parametrize(
    "body",
    [
        '[{"code": CODE, "description": "d"}]',
        '{"errors": [{"code": "CODE", "description": "d"}]}',
        "<errors><error><code>CODE</code><description>d</description></error></errors>",
    ],
)
def test_an_error_is_told_whatever_its_clothes(body: str, code: str, error: type[ConnectorError]) -> None:
    with pytest.raises(error, match=code):
        rows_of(answer(body.replace("CODE", code).encode()), "here")


def test_a_document_type_is_not_unfolded() -> None:
    bomb = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aa">]><service_requests>&a;</service_requests>'

    with pytest.raises(FormatChanged):
        rows_of(answer(bomb), "here")


def test_a_request_becomes_an_appeal_with_its_place_and_the_units_notes() -> None:
    told = {
        "agency_responsible": "市政工程处",
        "lat": "30.25",
        "long": "120.16",
        "media_url": "https://c.example/1.jpg",
    }
    raw = RawAppeal(
        id="x",
        source="c",
        kind="open311",
        channel="app",
        native_id="1",
        mode=Mode.ROUTE,
        payload=msgspec.json.encode(row(1, FETCHED, status_notes="已派人", **told)),
    )

    draft = MAPPERS["open311"](raw)

    assert (draft.title, draft.text, draft.handler, draft.reply_text) == ("n", "d", "市政工程处", "已派人")
    assert draft.location is not None
    assert (draft.location.lng, draft.location.lat) == (120.16, 30.25)
    assert draft.posted_at == "2026-11-22T01:00:00.000Z"
    assert draft.attachments[0].url == "https://c.example/1.jpg"


def test_a_start_that_is_no_time_is_a_problem_of_the_settings() -> None:
    told: Callable[..., list[str]] = lambda **further: settings(**further).problems()  # noqa: E731
    assert told(start="soon")
    assert not told(start="2026-01-01")
