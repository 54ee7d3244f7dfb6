"""`normalize` is pure, and what it makes survives the way into the database and back."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bson
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.raw_appeal import RawAppeal
from normalizer.appeal import Appeal, Normalized, from_document, to_document
from normalizer.errors import Unmappable

TEXT = "望湖区柳荫街道的路灯坏了，打13800138000没人接，物业乱收费还断电，城管局推诿，消防通道也堵了，请问谁来管？"

ROWS = st.fixed_dictionaries(
    {"text": st.text(min_size=1, max_size=120).filter(lambda text: text.strip() != "")},
    optional={
        "title": st.text(max_size=30),
        "posted_at": st.text(max_size=20),
        "author": st.text(max_size=10),
        "phone": st.text(max_size=15),
        "address": st.text(max_size=30),
        "likes": st.integers(),
        "category": st.text(max_size=10),
        "reply": st.text(max_size=30),
    },
)


@given(row=ROWS, channel=st.sampled_from(["hotline", "forum", "news_comment"]))
def test_the_same_input_gives_the_same_bytes(
    row: dict[str, Any], channel: str, raw: Callable[..., RawAppeal], normalized: Callable[[RawAppeal], Normalized]
) -> None:
    item = raw(row, channel=channel)

    assert msgspec.json.encode(normalized(item)) == msgspec.json.encode(normalized(item))


@settings(max_examples=50)
@given(row=ROWS)
def test_an_appeal_survives_json_and_bson(row: dict[str, Any], read: Callable[..., Appeal]) -> None:
    appeal = read(row)
    document = bson.decode(
        bson.encode(to_document(appeal)), codec_options=bson.CodecOptions[dict[str, Any]](tz_aware=True)
    )

    assert msgspec.json.decode(msgspec.json.encode(appeal), type=Appeal) == appeal
    assert from_document(document) == appeal


@given(row=ROWS)
def test_evidence_always_points_at_its_words(row: dict[str, Any], read: Callable[..., Appeal]) -> None:
    appeal = read({**row, "text": row["text"] + TEXT})
    fields = {"title": appeal.title, "text": appeal.text}

    assert appeal.signals.evidence
    assert all(fields[word.field][word.start : word.end] == word.text for word in appeal.signals.evidence)


def test_another_process_with_another_hash_seed_makes_the_same_bytes(
    raw: Callable[..., RawAppeal], read: Callable[..., Appeal]
) -> None:
    """Sets and dicts of words must not leave their order in an appeal."""
    program = (
        "import sys, msgspec\n"
        "from connectors.raw_appeal import RawAppeal\n"
        "from normalizer.flow import normalize\n"
        "from normalizer.tables import load_tables\n"
        "raw = msgspec.json.decode(sys.stdin.buffer.read(), type=RawAppeal)\n"
        "sys.stdout.buffer.write(msgspec.json.encode(normalize(raw, load_tables(), b'k' * 32)))\n"
    )
    item = msgspec.json.encode(raw({"text": TEXT, "title": "路灯与物业"}))
    root = Path(__file__).parents[2]
    outcomes = {
        subprocess.run(
            [sys.executable, "-c", program],
            input=item,
            capture_output=True,
            check=True,
            cwd=root,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(root)},
        ).stdout
        for seed in ("1", "2", "3")
    }

    assert len(outcomes) == 1
    assert b"\xe8\xb7\xaf\xe7\x81\xaf" in outcomes.pop()


def test_normalize_asks_no_clock(monkeypatch: pytest.MonkeyPatch, read: Callable[..., Appeal]) -> None:
    mine = threading.get_ident()

    def refused(ask: Callable[..., object]) -> Callable[..., object]:
        def refuse(*given: object) -> object:
            if threading.get_ident() == mine:  # a driver's threads may look at the clock meanwhile
                raise AssertionError("normalize asked for the time")
            return ask(*given)

        return refuse

    before = read(TEXT)
    for name in ("time", "time_ns", "monotonic", "localtime", "gmtime"):
        monkeypatch.setattr(f"time.{name}", refused(getattr(time, name)))

    assert read(TEXT) == before


def test_a_kind_without_a_mapper_is_unmappable(read: Callable[..., Appeal]) -> None:
    with pytest.raises(Unmappable, match="no mapper"):
        read(TEXT, kind="carrier_pigeon")
