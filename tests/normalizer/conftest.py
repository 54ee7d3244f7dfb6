"""Tables of the demonstration city, and raw items in one line."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from connectors.raw_appeal import RawAppeal, appeal_id
from normalizer.appeal import Appeal, Normalized
from normalizer.draft import Draft
from normalizer.flow import normalize
from normalizer.steps.scan import scan
from normalizer.tables import Tables, load_tables

KEY = b"0123456789abcdef" * 2
PLACES = """
version = "1"
city = "云泽市"
[[district]]
name = "望湖区"
aliases = ["望湖"]
[[district.street]]
name = "柳荫街道"
communities = ["荷风社区", "新民社区"]
[[district.street]]
name = "听涛街道"
communities = ["观澜社区"]
[[district]]
name = "青枫区"
[[district.street]]
name = "枫林街道"
communities = ["新民社区"]
[[poi]]
name = "明镜湖公园"
area = "望湖区/柳荫街道"
community = "荷风社区"
[[poi]]
name = "幸福家园"
area = "望湖区/听涛街道"
[[poi]]
name = "幸福家园"
area = "青枫区/枫林街道"
"""

Read = Callable[..., Appeal]
Drafted = Callable[..., Draft]
Raw = Callable[..., RawAppeal]


@pytest.fixture(scope="session")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Tables:
    places = tmp_path_factory.mktemp("city") / "places.toml"
    places.write_text(PLACES, encoding="utf-8")
    return load_tables(places=places)


@pytest.fixture(scope="session")
def raw() -> Raw:
    """A line of `intake normalize`, or whatever kind is named."""

    def make(row: dict[str, Any] | str, *, kind: str = "line", channel: str = "board", **more: Any) -> RawAppeal:
        native = str(more.pop("native_id", "1"))
        content = {"text": row} if isinstance(row, str) else row
        given = {"received_at": datetime(2026, 11, 22, 1, 2, 3, tzinfo=UTC), **more}
        return RawAppeal(
            id=appeal_id("test", native),
            source="test",
            kind=kind,
            channel=channel,
            native_id=native,
            payload=json.dumps(content, ensure_ascii=False).encode(),
            **given,
        )

    return make


@pytest.fixture(scope="session")
def read(tables: Tables, raw: Raw) -> Read:
    def make(row: dict[str, Any] | str, **more: Any) -> Appeal:
        return normalize(raw(row, **more), tables, KEY).appeal

    return make


@pytest.fixture(scope="session")
def normalized(tables: Tables) -> Callable[[RawAppeal], Normalized]:
    def make(item: RawAppeal) -> Normalized:
        return normalize(item, tables, KEY)

    return make


def known(**fields: Any) -> Draft:
    """A draft of which this much is known."""
    draft = Draft()
    for name, value in fields.items():
        setattr(draft, name, value)
    return draft


@pytest.fixture(scope="session")
def drafted(tables: Tables) -> Drafted:
    """A draft whose text has been scanned."""

    def make(text: str, title: str = "", **more: Any) -> Draft:
        draft = known(title=title, text=text, channel="board", **more)
        scan(draft, tables)
        return draft

    return make


@pytest.fixture(scope="session")
def places_text() -> str:
    return PLACES


@pytest.fixture
def written(tmp_path: Path) -> Callable[[str, str], Path]:
    def write(name: str, text: str) -> Path:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write
