"""Bytes to text: what real sources send, whatever they say it is."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.base import Response
from connectors.errors import AccessDenied, FormatChanged
from connectors.reading.encoding import json_of, text_of, xml_of

WORDS = "路灯坏了，晚上看不见"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gbk", "gb18030"])
def test_what_chinese_sites_send_is_read_without_a_declaration(encoding: str) -> None:
    assert text_of(WORDS.encode(encoding)) == WORDS


@pytest.mark.parametrize("declared", ["text/html; charset=gb2312", "text/html;charset='GBK'", "text/html"])
def test_characters_beyond_gb2312_are_read_where_gb2312_is_declared(declared: str) -> None:
    assert text_of("镕基路㐂".encode("gb18030"), declared) == "镕基路㐂"


def test_a_wrong_declaration_does_not_garble_utf_8() -> None:
    assert text_of(WORDS.encode(), "application/rss+xml; charset=gb2312") == WORDS


def test_another_declared_charset_is_believed_where_it_fits() -> None:
    assert text_of("路燈壞了".encode("big5"), "text/html; charset=big5") == "路燈壞了"


def test_bytes_of_no_encoding_are_read_with_marks_of_loss() -> None:
    assert "\ufffd" in text_of(b"\xff\xff\x00abc")


def test_the_head_of_an_xml_page_loses_its_encoding() -> None:
    body = '<?xml version="1.0" encoding="gb2312" standalone="yes"?>\n<a>路</a>'.encode("gb18030")

    assert xml_of(body) == '<?xml version="1.0" standalone="yes"?>\n<a>路</a>'


@given(st.binary())
def test_any_bytes_are_some_text(body: bytes) -> None:
    assert isinstance(text_of(body), str)


@given(st.text(st.characters(codec="gb18030", exclude_characters="\ufeff")))
def test_chinese_utf_8_is_never_taken_for_anything_else(text: str) -> None:
    assert text_of(f"路{text}".encode(), "text/html; charset=gbk") == f"路{text}"


def response(body: bytes) -> Response:
    return Response(status=200, headers={}, body=body, fetched_at=datetime(2026, 11, 22, tzinfo=UTC))


def test_a_log_in_page_is_a_refusal_and_another_page_a_changed_format() -> None:
    with pytest.raises(AccessDenied, match="log-in page"):
        json_of(response(b'<html><input type="password">'), "the board")
    with pytest.raises(FormatChanged, match="HTML page"):
        json_of(response(b"<html><h1>moved</h1>"), "the board")
    with pytest.raises(FormatChanged, match="not JSON"):
        json_of(response(b""), "the board")


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (r'"停水了\ud83d"', "停水了\ufffd"),
        (r'"\ude00停水"', "\ufffd停水"),
        (r'"\uD83D\uDE00 \ud83d x"', "😀 \ufffd x"),
        (r'"\\ud83d \ud83d"', "\\ud83d \ufffd"),
    ],
)
def test_half_an_emoji_costs_no_more_than_itself(written: str, read: str) -> None:
    body = f'{{"rows": ["ok", {written}]}}'.encode()
    answer = Response(status=200, headers={}, body=body, fetched_at=datetime(2026, 11, 22, tzinfo=UTC))
    assert json_of(answer, "source s") == {"rows": ["ok", read]}
