"""The door opens with the street and closes before it; what was answered is there, whoever stops when."""

from __future__ import annotations

import asyncio
import itertools
import json
import ssl
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import aiohttp
import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from structlog.testing import capture_logs

from connectors.raw_appeal import appeal_id
from intake.balance import balance
from intake.door.routes import server_logger
from intake.house import House
from intake.servers import Servers
from tests.intake.door.conftest import SETTINGS, Opened, a_house, an_open_door
from tests.intake.door.test_push_12345 import ORDER, headers, told


@pytest.fixture
async def house(mongo_server: Servers, broker_server: Servers, tmp_path: Path) -> AsyncIterator[House]:
    async with a_house(tmp_path, SETTINGS, mongo_server, broker_server) as made:
        yield made


async def push(session: aiohttp.ClientSession, url: str, order: str) -> bool:
    """Say whether it was answered with a receipt."""
    fields = ORDER | {"orderId": order}
    body = json.dumps(told("create", "2026-11-22 09:00:00", **fields)).encode()
    try:
        async with session.post(f"{url}/push/exchange", data=body, headers=headers(body)) as answer:
            return answer.status == 200
    except aiohttp.ClientError:
        return False


async def test_what_was_answered_is_delivered_by_whoever_comes_next(house: House) -> None:
    """Closed in the middle of a storm of pushes, within five seconds; the next street finishes what is stored."""
    answered: set[str] = set()
    stack = AsyncExitStack()
    opened = await stack.enter_async_context(an_open_door(house))
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def caller(name: int) -> None:
            """Push one after the other until nobody answers any more."""
            for number in itertools.count():
                if not await push(session, opened.url, f"S{name}-{number}"):
                    return
                answered.add(appeal_id("exchange", f"S{name}-{number}"))

        storm = [asyncio.create_task(caller(name)) for name in range(20)]
        while len(answered) < 40:
            await asyncio.sleep(0.005)
        began = time.monotonic()
        await stack.aclose()
        assert time.monotonic() - began < 5
        await asyncio.gather(*storm)

    stored = {each["_id"] async for each in house.db.raw.find({}, {"_id": 1})}
    assert answered <= stored
    async with an_open_door(house) as again:
        async with asyncio.timeout(60):  # what the first had in its hands is taken up when its claim lapses
            while (total := await balance(house.db, again.rooms.clock.now())).open_count:
                await asyncio.sleep(0.2)
    assert total.adds_up
    assert total.offered == len(stored)
    assert total.totals().keys() <= {"delivered", "linked"}, total.totals()


async def test_two_workers_of_a_machine_have_one_door_and_the_second_takes_it_over(house: House) -> None:
    first = AsyncExitStack()
    one = await first.enter_async_context(an_open_door(house))
    assert house.settings.door is not None
    there = msgspec.structs.replace(house.settings.door, port=one.door.port)
    both = msgspec.structs.replace(house, settings=msgspec.structs.replace(house.settings, door=there))

    async def close_soon() -> None:
        await asyncio.sleep(0.5)
        await first.aclose()

    closing = asyncio.create_task(close_soon())
    async with an_open_door(both) as two, aiohttp.ClientSession() as session:
        await closing
        assert two.door.port == there.port
        async with session.get(f"{two.url}/health") as answer:
            assert (answer.status, (await answer.json())["healthy"]) == (200, True)
        assert await push(session, two.url, "T1")


async def test_whoever_comes_too_often_is_told_when_to_come_again(house: House) -> None:
    slow = tuple(msgspec.structs.replace(each, requests_per_minute=1) for each in house.settings.sources)
    patient = msgspec.structs.replace(house, settings=msgspec.structs.replace(house.settings, sources=slow))
    async with an_open_door(patient) as opened, aiohttp.ClientSession() as session:
        assert [await push(session, opened.url, f"L{number}") for number in range(5)] == [True] * 5
        body = json.dumps(told("create", "2026-11-22 09:00:00", **ORDER)).encode()
        async with session.post(f"{opened.url}/push/exchange", data=body, headers=headers(body)) as answer:
            assert answer.status == 429
            assert int(answer.headers["Retry-After"]) >= 1


@pytest.mark.parametrize("lines", [["{}", "10.0.0.7"], ["{}, 10.0.0.7"]])
async def test_whoever_writes_addresses_before_our_proxys_is_counted_all_the_same(
    house: House, lines: list[str]
) -> None:
    """Some proxies add to the line that came, some put a line of their own behind it (HAProxy)."""
    assert house.settings.door is not None
    door = msgspec.structs.replace(house.settings.door, behind_proxy=True, requests_per_minute=1)
    behind = msgspec.structs.replace(house, settings=msgspec.structs.replace(house.settings, door=door))
    async with an_open_door(behind) as opened, aiohttp.ClientSession() as session:

        async def ask(number: int) -> int:
            told = [("X-Forwarded-For", line.format(f"192.0.2.{number}")) for line in lines]
            async with session.get(f"{opened.url}/health", headers=told) as answer:
                return answer.status

        assert [await ask(number) for number in range(6)] == [200] * 5 + [429]


async def test_what_is_too_large_is_refused_unread(house: House) -> None:
    assert house.settings.door is not None
    small = msgspec.structs.replace(house.settings.door, largest_body=4096)
    narrow = msgspec.structs.replace(house, settings=msgspec.structs.replace(house.settings, door=small))
    async with an_open_door(narrow) as opened, aiohttp.ClientSession() as session:
        body = b"x" * 5000
        async with session.post(f"{opened.url}/push/exchange", data=body, headers=headers(body)) as answer:
            assert answer.status == 413


def now() -> int:
    return int(time.time())


@pytest.mark.parametrize(
    ("path", "head", "length", "status"),
    [
        ("/app/app/appeals", lambda: "X-Api-Key: nobody", 20_000_000, 403),
        ("/app/app/appeals", lambda: "X-Other: x", 20_000_000, 401),
        ("/push/exchange", lambda: "X-App-Key: city", 20_000_000, 401),
        (
            "/push/exchange",
            lambda: f"X-App-Key: other\r\nX-Timestamp: {now()}\r\nX-Nonce: n\r\nX-Sign: 0",
            9_000_000,
            401,
        ),
        ("/push/exchange", lambda: "X-App-Key: city\r\nX-Timestamp: 1\r\nX-Nonce: n\r\nX-Sign: 0", 9_000_000, 401),
        ("/app/app/appeals", lambda: "X-Api-Key: app-key", 30_000_000, 413),
        ("/open311/open311/requests.json", lambda: "X-Other: x", 30_000_000, 413),
        ("/departments/ZJJ/ack", lambda: "X-Other: x", 20_000_000, 401),
    ],
)
async def test_a_body_of_nobody_and_one_too_large_are_not_waited_for(
    opened: Opened, path: str, head: Callable[[], str], length: int, status: int
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", opened.door.port)
    lines = (f"POST {path} HTTP/1.1", "Host: x", "Content-Type: application/json", head(), f"Content-Length: {length}")
    writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
    # Nothing of the body is sent: the answer rests on the head alone.
    answer = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
    writer.close()
    assert answer.startswith(f"HTTP/1.1 {status} ".encode())


async def test_what_is_no_http_is_answered_and_stands_in_no_log(
    house: House, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    """A caller that counts its body wrong sends the rest of a letter as its next request."""
    letter = "路灯坏了，请打 13800001234 找孙玉兰。\r\n\r\n".encode()
    async with an_open_door(house) as opened:
        reader, writer = await asyncio.open_connection("127.0.0.1", opened.door.port)
        writer.write(b"POST /push/exchange HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}")
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
        assert head.startswith(b"HTTP/1.1 401")
        writer.write(letter)
        assert b" 400 Bad Request" in await asyncio.wait_for(reader.read(), 10)
        writer.close()
    logged = caplog.text + "".join(capsys.readouterr())
    assert not [word for word in ("13800001234", "孙玉兰", repr("孙玉兰".encode())[2:-1]) if word in logged], logged


STRANGE = (
    *(
        b"GET /open311/open311/%s HTTP/1.1" % path
        for path in (b"requests/\xff.json", b"tokens/%00.xml", b"services/\xff.json")
    ),
    *(
        b"GET /open311/open311/requests.json?%s HTTP/1.1" % ask
        for ask in (b"service_request_id=\xff", b"service_code=%ff%00")
    ),
    b"GET /open311/open311/requests.json?status=%ed%a0%80&page_size=9999999999999999 HTTP/1.1",
    b"GET /open311/\xff/services.json HTTP/1.1",
    b"GET /visit/\xff HTTP/1.1",
    b"GET /visit/%00%ff HTTP/1.1",
    b"GET /departments/\xff/messages HTTP/1.1\r\nAuthorization: Basic \xff",
    b"GET /departments/ZJJ/messages?max=\xff HTTP/1.1\r\nAuthorization: Basic ZGVwdC5aSkouYTr/AP8=",
    b"GET /departments/ZJJ/messages HTTP/1.1\r\nAuthorization: Basic ZGVwdC5aSkouYTphAGI=",
    b"GET /app/app/appeals/\xff HTTP/1.1\r\nX-Api-Key: app-key",
    b"GET /app/app/appeals/%00 HTTP/1.1\r\nX-Api-Key: app-key",
    b"POST /app/app/appeals HTTP/1.1\r\nContent-Type: multipart/form-data; boundary=\xff",
    b"POST /app/app/appeals HTTP/1.1\r\nContent-Type: \xff\r\nX-Api-Key: \xff",
    b"POST /app/app/appeals HTTP/1.1\r\nContent-Encoding: gzip\r\nX-Api-Key: app-key",
    b"POST /push/exchange HTTP/1.1\r\nX-App-Key: \xff\r\nX-Timestamp: \xff\r\nX-Nonce: \xff\r\nX-Sign: \xff",
)


async def test_whatever_bytes_stand_in_a_request_it_is_refused_and_no_fault_of_ours(house: House) -> None:
    answers = {}
    async with an_open_door(house) as opened:
        for head in STRANGE:
            reader, writer = await asyncio.open_connection("127.0.0.1", opened.door.port)
            writer.write(head + b"\r\nHost: x\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello")
            answers[head] = (await asyncio.wait_for(reader.read(), 20)).split(b" ")[1]
            writer.close()
    assert {head: status for head, status in answers.items() if not status.startswith((b"2", b"4"))} == {}


def test_a_fault_that_the_http_server_catches_is_named_by_its_place() -> None:
    with capture_logs() as logged:
        server_logger().exception("Unhandled exception", exc_info=RuntimeError("13800001234"))

    assert logged == [
        {"action": "door_failed", "error": "RuntimeError", "event": "request failed", "log_level": "error"}
    ]


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate of our own for this machine."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    encoding, none = serialization.Encoding.PEM, serialization.NoEncryption()
    (folder / "door.pem").write_bytes(made.public_bytes(encoding))
    (folder / "door.key").write_bytes(key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, none))
    return folder / "door.pem", folder / "door.key"


async def test_with_a_certificate_it_speaks_tls(house: House, tmp_path: Path) -> None:
    pem, key = certificate(tmp_path)
    assert house.settings.door is not None
    door = msgspec.structs.replace(house.settings.door, certificate=pem, certificate_key=key)
    safe = msgspec.structs.replace(house, settings=msgspec.structs.replace(house.settings, door=door))
    trusting = ssl.create_default_context(cafile=str(pem))
    async with an_open_door(safe) as opened, aiohttp.ClientSession() as session:
        url = opened.url.replace("http://", "https://")
        async with session.get(f"{url}/health", ssl=trusting) as answer:
            assert answer.status == 200
        with pytest.raises(aiohttp.ClientError):
            await session.get(f"{opened.url}/health")


async def test_no_answer_tells_which_programs_run_here(house: House) -> None:
    async with an_open_door(house) as opened, aiohttp.ClientSession() as session:
        for path in ("/health", "/no/such/route"):
            async with session.get(opened.url + path) as answer:
                assert answer.headers["Server"] == "intake"
