"""Forms are read in memory, exactly as they were sent."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from requests import Request

from connectors.receiving.contract import File, Refused
from intake.door.forms import form_of

WORDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\0"), max_size=12)
NAMES = st.text("abcdefgh_[]", min_size=1, max_size=8)


@settings(deadline=None)
@given(st.dictionaries(NAMES, st.text(st.characters(exclude_categories=["Cs"]), max_size=20), max_size=4))
def test_a_plain_form_comes_back(form: dict[str, str]) -> None:
    sent = Request("POST", "http://door/", data=form).prepare()
    body = sent.body.encode() if isinstance(sent.body, str) else b""
    assert form_of("application/x-www-form-urlencoded; charset=utf-8", body) == (form, ())


@settings(deadline=None)
@given(st.dictionaries(NAMES, st.text(st.characters(exclude_categories=["Cs"]), max_size=20), max_size=3), st.binary())
def test_a_form_with_a_file_comes_back(form: dict[str, str], content: bytes) -> None:
    sent = Request("POST", "http://door/", data=form, files={"media": ("家门口 1.png", content)}).prepare()
    assert isinstance(sent.body, bytes)
    assert form_of(str(sent.headers["Content-Type"]), sent.body) == (
        form,
        (File(field="media", name="家门口 1.png", body=content),),
    )


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("multipart/form-data", b"--x\r\n"),
        ("multipart/form-data; boundary=x", b""),
        ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data; name=a\r\n\r\n1"),
        ("multipart/form-data; boundary=x", b"--x\r\n\r\n1\r\n--x--"),
        ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data; name=a\r\n\r\n\xff\r\n--x--"),
        ("multipart/form-data; boundary=x", b"--x\r\n" * 200 + b"--x--"),
        (
            "multipart/form-data; boundary=x",
            b"--x\r\nContent-Disposition: form-data; name=a" + b";name=a" * 1_000_000 + b"\r\n\r\n1\r\n--x--",
        ),
        ("application/x-www-form-urlencoded", b"a=%ff"),
        ("application/x-www-form-urlencoded", b"&".join(b"a=1" for _ in range(200))),
        ("application/x-www-form-urlencoded", b"\xff"),
    ],
)
def test_what_is_no_whole_form_is_refused(kind: str, body: bytes) -> None:
    with pytest.raises(Refused) as refused:
        form_of(kind, body)
    assert refused.value.status == 400


def test_json_that_calls_itself_a_form_is_json() -> None:
    assert form_of("application/x-www-form-urlencoded", b'{"text": "a=1&b=2"}') == ({}, ())


@settings(deadline=None)
@given(st.binary(max_size=80))
def test_whatever_comes_is_a_form_or_refused(body: bytes) -> None:
    for kind in ("multipart/form-data; boundary=x", "application/x-www-form-urlencoded", "text/plain"):
        try:
            form_of(kind, b"--x\r\n" + body + b"\r\n--x--")
        except Refused as refused:
            told = refused.status
        else:
            told = 400
        assert told == 400
