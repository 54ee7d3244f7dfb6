"""Mails as Chinese mail programs write them, whatever they declare."""

from __future__ import annotations

import time
from base64 import b64encode
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.base import BadItem, Item, Response
from connectors.channels.mailbox import Entry, MailboxSettings, parse_mail, read_row
from connectors.channels.mailbox_mime import Mail, read_mail
from connectors.raw_appeal import Mode, RawAppeal
from normalizer.mappers import MAPPERS

WORDS = "镕基路的路灯坏了三天"
TOLD = {"name": "m", "kind": "mailbox", "channel": "mailbox", "mode": "route", "zone": "Asia/Shanghai"}
TOLD |= {"url": "imaps://mail.city.example", "user_env": "U", "password_env": "P"}


def settings(**further: Any) -> MailboxSettings:
    return msgspec.convert(TOLD | further, MailboxSettings)


def mail(body: bytes, *heads: bytes, kind: bytes = b"text/plain") -> Mail:
    lines = [b"From: a@mail.example", b"Message-ID: <1@mail.example>", b"Content-Type: " + kind, *heads]
    return read_mail(b"\r\n".join([*lines, b"", body]), size=100)


def draft(**fields: Any) -> Any:
    payload = msgspec.json.encode(Mail(id="1", size=1, **fields))
    raw = RawAppeal(
        id="x", source="m", kind="mailbox", channel="mailbox", native_id="1", mode=Mode.ROUTE, payload=payload
    )
    return MAPPERS["mailbox"](raw)


@pytest.mark.parametrize(
    ("written", "declared"),
    [
        ("utf-8", "utf-8"),
        ("gbk", "gb2312"),
        ("gb18030", "GB18030"),
        ("gbk", None),
        ("gbk", "us-ascii"),
        ("gbk", "nonsense"),
        ("utf-8", "gb2312"),
        ("hz", "hz-gb-2312"),
        ("utf-7", "utf-7"),
    ],
)
def test_a_text_is_read_whatever_its_mail_declares(written: str, declared: str | None) -> None:
    words = WORDS if written != "hz" else WORDS.replace("镕", "容")
    kind = f"text/plain; charset={declared}" if declared else "text/plain"
    assert mail(words.encode(written), kind=kind.encode()).text == words


@pytest.mark.parametrize("cut", range(1, 12))
def test_a_subject_cut_inside_a_character_is_whole_again(cut: int) -> None:
    raw = WORDS.encode("gbk")
    parts = [b"=?gb2312?B?" + b64encode(part) + b"?=" for part in (raw[:cut], raw[cut:])]
    assert mail(b"x", b"Subject: " + b"\r\n ".join(parts)).subject == WORDS


def test_a_subject_without_a_declaration_is_written_like_the_text() -> None:
    subject = "樓下停水".encode("big5")
    assert mail(subject, b"Subject: " + subject, kind=b"text/plain; charset=big5").subject == "樓下停水"


def test_a_letter_of_a_form_is_from_its_citizen_not_from_the_machine() -> None:
    read = mail(b"x", b"Reply-To: =?utf-8?B?" + b64encode("张三".encode()) + b"?= <Z@mail.example>")
    assert (read.author, read.author_address) == ("张三", "z@mail.example")


def test_attachments_are_listed_with_size_and_digest_and_never_kept() -> None:
    message = EmailMessage()
    message["From"] = "a@mail.example"
    message.set_content("见附件")
    message.add_attachment(b"%PDF-", maintype="application", subtype="pdf", filename="合同.pdf")
    inner = EmailMessage()
    inner.set_content("inside")
    message.add_attachment(inner)

    read = read_mail(message.as_bytes(), size=1)

    assert next((each.name, each.media_type, each.size) for each in read.attachments) == (
        "合同.pdf",
        "application/pdf",
        5,
    )
    assert read.attachments[1].media_type == "message/rfc822"
    assert read.text == "见附件"
    assert "inside" not in msgspec.json.encode(read).decode()


def test_two_mails_under_one_message_id_are_two() -> None:
    assert mail(b"one").id != mail(b"two").id
    assert mail(b"one").id == mail(b"one").id


def test_what_comes_after_the_sampled_beginning_does_not_change_the_id() -> None:
    long = b"x" * 100_000
    assert mail(long).id == mail(long + b"y" * 10).id


@given(raw=st.binary(max_size=400))
def test_whatever_a_mail_holds_it_is_an_item_or_parked(raw: bytes) -> None:
    read = read_row(read_mail(raw, size=len(raw)), settings())
    assert isinstance(read, Item | BadItem)
    assert read.native_id


def test_a_day_that_cannot_be_read_is_not_told_as_the_last_of_all() -> None:
    answer = Response(status=200, headers={}, body=b"Subject: light\r\n\r\nwords", fetched_at=datetime.now(UTC))

    assert parse_mail(answer, Entry(1, 10, "22-11-2026 08:00")).received == ""
    assert parse_mail(answer, Entry(1, 10, " 2-Nov-2026 08:00:00 +0800")).received == "2026-11-02T00:00:00Z"


def test_a_page_of_nothing_but_openings_is_read_at_once() -> None:
    """Anybody may write to a mailbox; whoever reads it must not be held up by one letter."""
    start = time.monotonic()
    read = mail(b"<style>" * 100_000 + b"<script>x</script> light <HEAD>y</head >", kind=b"text/html")

    assert time.monotonic() - start < 5
    assert read.html.endswith("light")
    assert "x" not in read.html


@pytest.mark.parametrize("kind", ['multipart/mixed; boundary="b{}"\r\n\r\n--b{}', "message/rfc822\r\n"])
def test_parts_in_parts_without_end_are_for_a_person_to_read(kind: str) -> None:
    head = "".join(f"Content-Type: {kind.format(number, number)}\r\n" for number in range(3000))
    raw = f"Subject: light\r\n{head}Content-Type: text/plain\r\n\r\nwords".encode()
    read = read_row(read_mail(raw, size=len(raw)), settings())

    assert isinstance(read, BadItem)
    assert "parts in parts" in read.reason


@given(body=st.binary(max_size=200), charset=st.text(max_size=10), name=st.text(max_size=20))
def test_whatever_a_part_declares_it_is_read(body: bytes, charset: str, name: str) -> None:
    head = f'Content-Type: text/plain; charset="{charset}"; name="{name}"\r\nSubject: =?{charset}?B?{name}?=\r\n\r\n'
    assert read_mail(head.encode("utf-8", "replace") + body, size=1).id


def test_an_answer_is_its_authors_words_without_what_it_quotes() -> None:
    quoted = '还是没有清走\n\n------------------ 原始邮件 ------------------\n发件人: "市长信箱";\n已收到您的来信。'
    read = draft(
        subject="回复：垃圾", text=quoted, in_reply_to="q1@x", root="q0@x", date="Sun, 22 Nov 2026 08:00:00 +0800"
    )
    assert (read.title, read.text, read.thread.parent, read.thread.root) == ("垃圾", "还是没有清走", "q1@x", "q0@x")
    assert read.posted_at == "2026-11-22T00:00:00.000Z"
    assert read.repairs == ["quoted_mail"]


@pytest.mark.parametrize(
    "tail",
    [
        "> 已收到\n> 您的来信",
        "在 2026年11月20日 08:00，市长信箱 <m@c.example> 写道：\n已收到",
        "On Fri, Nov 20, 2026 at 8:00 AM Mayor <m@c.example> wrote:\n> got it",
        'At 2026-11-20 08:00:00, "mayor" <m@c.example> wrote:\n已收到',
        "发件人：市长信箱\n发送时间：2026年11月20日\n已收到",
        "-----Original Message-----\nFrom: m@c.example",
    ],
)
def test_every_usual_way_of_quoting_is_known(tail: str) -> None:
    assert draft(subject="Re: x", text=f"还是没有修\n\n{tail}").text == "还是没有修"


def test_a_letter_that_was_passed_on_is_kept_whole() -> None:
    passed_on = "---------- Forwarded message ---------\nFrom: a@x\nDate: 2026-11-20\n\n路灯坏了"
    assert draft(subject="Fwd: 路灯", text=passed_on).text == passed_on


def test_a_first_letter_that_quotes_somebody_is_not_cut() -> None:
    text = "物业发来的信说\n\n-----原始邮件-----\n停水三天"
    assert draft(subject="停水", text=text).text == text


@pytest.mark.parametrize(
    "wrong", [{"url": "https://mail.city.example"}, {"password_env": None}, {"token_env": "T"}, {"url": "imaps://"}]
)
def test_settings_that_cannot_work_are_told(wrong: dict[str, Any]) -> None:
    assert settings(**wrong).problems()
