"""A mailbox on a real IMAP server: read-only, over checked TLS, within the budget, and honest about what goes wrong."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any

import msgspec
import pytest

from connectors.asking.budget import LocalBudget, Verdict
from connectors.asking.imap import MailWay
from connectors.base import Item, Page, Response
from connectors.channels.mailbox import Mailbox, MailboxSettings, Position, account_of
from connectors.errors import AccessDenied, FormatChanged, SourceDown
from tests.connectors.mail_server import PASSWORD, USER, MailServer, mail_server
from tests.connectors.recording import ids_of, position, read

ENVIRONMENT = {"MAIL_USER": USER, "MAIL_PASSWORD": PASSWORD}


@pytest.fixture(scope="module")
def server() -> Iterator[MailServer]:
    with mail_server() as started:
        yield started


@pytest.fixture
def folder(server: MailServer, request: pytest.FixtureRequest) -> str:
    """A folder of one test's own, with a name as Chinese mailboxes have them."""
    name = f"b-{abs(hash(request.node.name)) % 10**9}"
    with server.client() as client:
        client.create(name)
    return name


def mail(number: int, text: str = "路灯不亮", **headers: str) -> bytes:
    message = EmailMessage()
    message["From"] = f"市民 <c{number}@mail.example>"
    message["Subject"] = f"第 {number} 封信"
    message["Message-ID"] = f"<{number}@mail.example>"
    message["Date"] = "Sun, 22 Nov 2026 08:00:00 +0800"
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(text)
    return message.as_bytes().replace(b"\n", b"\r\n")


class Counting(LocalBudget):
    """Counts what is spent, and whether each was ended."""

    def __init__(self) -> None:
        super().__init__(600_000)
        self.spent = 0
        self.verdicts: list[Verdict] = []

    async def spend(self) -> str:
        self.spent += 1
        return await super().spend()

    async def ended(self, place: str, verdict: Verdict, rest: float = 0.0) -> None:
        self.verdicts.append(verdict)
        await super().ended(place, verdict, rest)


def settings_of(server: MailServer, **further: Any) -> MailboxSettings:
    told = {"name": "letters", "kind": "mailbox", "channel": "mailbox", "mode": "route", "zone": "Asia/Shanghai"}
    told |= {"url": server.url, "user_env": "MAIL_USER", "password_env": "MAIL_PASSWORD", "ca_file": server.ca_file}
    return msgspec.convert(told | further, MailboxSettings)


@asynccontextmanager
async def opened(
    settings: MailboxSettings, environment: dict[str, str] | None = None, budget: Counting | None = None
) -> AsyncIterator[Mailbox]:
    environment = environment or ENVIRONMENT
    way = MailWay(
        settings.name,
        account_of(settings, environment),
        budget=budget or Counting(),
        contact="ops@city.example",
        now=lambda: datetime.now(UTC),
    )
    try:
        yield Mailbox(settings, way.fetch, environment)
    finally:
        await way.close()


async def read_folder(server: MailServer, folder: str, cursor: str | None = None, **further: Any) -> list[Page]:
    async with opened(settings_of(server, folder=folder, **further)) as mailbox:
        return await read(mailbox, cursor)


def payloads(pages: list[Page]) -> list[dict[str, Any]]:
    return [msgspec.json.decode(item.payload) for page in pages for item in page.items]


async def test_what_came_is_read_once_and_what_comes_later_from_there(server: MailServer, folder: str) -> None:
    server.put(mail(1), mail(2), folder=folder)
    first = await read_folder(server, folder)
    server.put(mail(3), folder=folder)

    second = await read_folder(server, folder, position(first))
    third = await read_folder(server, folder, position(second))

    assert [row["subject"] for row in payloads(first)] == ["第 1 封信", "第 2 封信"]
    assert [row["message_id"] for row in payloads(second)] == ["3@mail.example"]
    assert ids_of(third) == set()


async def test_a_reader_leaves_no_trace(server: MailServer, folder: str) -> None:
    server.put(mail(1), folder=folder)

    await read_folder(server, folder)

    assert server.flags(folder) <= {"\\Recent"}


async def test_a_folder_that_is_made_anew_is_read_anew_under_the_same_ids(server: MailServer, folder: str) -> None:
    server.put(mail(1), mail(2), mail(3), folder=folder)
    first = await read_folder(server, folder)
    server.make_anew(folder)
    server.put(mail(4), mail(3), mail(2), folder=folder)

    second = await read_folder(server, folder, position(first))

    assert len(ids_of(second)) == 3
    assert len(ids_of(second) & ids_of(first)) == 2
    assert {row["message_id"][0] for row in payloads(second)} == {"2", "3", "4"}


async def test_an_emptied_folder_is_no_error(server: MailServer, folder: str) -> None:
    server.put(mail(1), folder=folder)
    first = await read_folder(server, folder)
    server.empty(folder)

    assert ids_of(await read_folder(server, folder, position(first))) == set()


async def test_a_name_of_chinese_letters_and_signs_is_a_folder(server: MailServer) -> None:
    with server.client() as client:
        client.create('"&XgKVf0,he7E- &- x"')
    server.put(mail(1), folder='"&XgKVf0,he7E- &- x"')

    assert len(ids_of(await read_folder(server, "市长信箱 & x"))) == 1


async def test_a_large_mail_is_parked_with_its_beginning(server: MailServer, folder: str) -> None:
    server.put(mail(1, "很长" * 40_000), mail(2), folder=folder)

    pages = await read_folder(server, folder, largest=100_000)

    (bad,) = [bad for page in pages for bad in page.bad]
    assert "`largest`" in bad.reason
    assert len(ids_of(pages)) == 2
    async with opened(settings_of(server)) as mailbox:
        again = mailbox.reread(bad.native_id, bad.payload, {})
    assert isinstance(again, Item)
    assert "很长很长" in msgspec.json.decode(again.payload)["text"]


async def test_mails_before_a_moment_are_passed_over(server: MailServer, folder: str) -> None:
    with server.client() as client:
        client.append(folder, "", '"01-Oct-2026 08:00:00 +0800"', mail(1))
        client.append(folder, "", '"20-Nov-2026 08:00:00 +0800"', mail(2))
    async with opened(settings_of(server, folder=folder)) as mailbox:
        cursor = mailbox.position_at(datetime(2026, 11, 1, tzinfo=UTC))

        pages = await read(mailbox, cursor)

    assert [row["message_id"] for row in payloads(pages)] == ["2@mail.example"]
    assert msgspec.json.decode(position(pages) or "", type=Position).uid == 2


async def test_every_request_costs_one_token(server: MailServer, folder: str) -> None:
    server.put(*(mail(number) for number in range(1, 6)), folder=folder)
    budget = Counting()

    async with opened(settings_of(server, folder=folder), budget=budget) as mailbox:
        await read(mailbox)

    assert budget.spent == 6
    assert budget.verdicts == [Verdict.WELL] * 6


async def test_starttls_comes_before_the_password(server: MailServer, folder: str) -> None:
    server.put(mail(1), folder=folder)

    pages = await read_folder(server, folder, url=f"imap://127.0.0.1:{server.plain}")

    assert len(ids_of(pages)) == 1


@pytest.mark.parametrize("url", ["imaps", "imap"])
async def test_a_certificate_that_nobody_vouches_for_is_refused(server: MailServer, url: str) -> None:
    port = server.port if url == "imaps" else server.plain
    told = settings_of(server, ca_file=None, url=f"{url}://127.0.0.1:{port}")
    budget = Counting()

    async with opened(told, budget=budget) as mailbox:
        with pytest.raises(SourceDown, match="certificate"):
            await read(mailbox)

    assert set(budget.verdicts) == {Verdict.DOWN}


async def test_a_wrong_password_stops_the_source_and_is_not_tried_again(server: MailServer) -> None:
    budget = Counting()

    async with opened(settings_of(server), {**ENVIRONMENT, "MAIL_PASSWORD": "wrong"}, budget) as mailbox:
        with pytest.raises(AccessDenied, match="password_env") as told:
            await read(mailbox)

    assert budget.spent == 1
    assert USER not in str(told.value)


async def test_a_folder_that_is_not_there_is_told(server: MailServer) -> None:
    async with opened(settings_of(server, folder="nowhere")) as mailbox:
        with pytest.raises(FormatChanged, match="`folder`"):
            await read(mailbox)


async def test_a_line_that_breaks_between_two_readings_is_opened_again(server: MailServer, folder: str) -> None:
    server.put(mail(1), folder=folder)
    budget = Counting()
    async with opened(settings_of(server, folder=folder), budget=budget) as mailbox:
        await read(mailbox)
        connection = mailbox._fetch.__self__._connection  # type: ignore[attr-defined]
        connection.socket().shutdown(socket.SHUT_RDWR)

        pages = await read(mailbox)

    assert len(ids_of(pages)) == 1
    assert Verdict.DOWN in budget.verdicts


async def test_nobody_there_is_told_and_asked_again(server: MailServer) -> None:
    async with opened(settings_of(server, url="imaps://127.0.0.1:9")) as mailbox:
        with pytest.raises(SourceDown, match="asked again"):
            await read(mailbox)


async def test_a_reading_that_is_cancelled_lets_go_of_its_line(
    server: MailServer, folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.put(*(mail(number) for number in range(1, 40)), folder=folder)
    asked = threading.Event()
    answer = MailWay._mail

    def slowly(*words: Any) -> Response:
        asked.set()
        time.sleep(0.02)  # so that it cannot be done before it is cancelled
        return answer(*words)

    async with opened(settings_of(server, folder=folder)) as mailbox:
        with monkeypatch.context() as patched:
            patched.setattr(MailWay, "_mail", slowly)
            reading = asyncio.create_task(read(mailbox))
            await asyncio.to_thread(asked.wait)
            reading.cancel()
            with pytest.raises(asyncio.CancelledError):
                await reading

        assert len(ids_of(await read(mailbox))) == 39


async def test_a_clerk_who_marks_a_mail_meanwhile_does_not_stop_the_reading(
    server: MailServer, folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server tells of others' doings whenever it likes (RFC 3501, 7): in the middle of our list, too."""
    server.put(mail(1), mail(2), folder=folder)
    examine = MailWay._examine
    told: list[bytes] = []

    def and_then_somebody_reads(self: MailWay, connection: Any, name: str, where: str) -> str:
        validity = examine(self, connection, name, where)
        with server.client() as clerk:
            clerk.select(folder)
            clerk.store("1", "+FLAGS", "\\Seen \\Answered")
        ask = connection.uid

        def heard(*words: str) -> Any:
            answer = ask(*words)
            told.extend(answer[1])
            return answer

        connection.uid = heard
        return validity

    monkeypatch.setattr(MailWay, "_examine", and_then_somebody_reads)
    pages = await read_folder(server, folder)

    assert any(b"FLAGS" in line for line in told if isinstance(line, bytes)), "else it proves nothing"
    assert [row["subject"] for row in payloads(pages)] == ["第 1 封信", "第 2 封信"]
