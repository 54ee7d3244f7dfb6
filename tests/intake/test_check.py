"""`intake check` shows what came of a source only where it can write down who saw it."""

from __future__ import annotations

from pathlib import Path

import pytest

import intake.house
from connectors.raw_appeal import appeal_id
from connectors.registry import REGISTRY
from intake import settings, tables
from intake.commands.check import _check
from intake.servers import Servers
from tests.conftest import Amqp, Database
from tests.intake import test_probing
from tests.intake.test_probing import KEY, City

city = test_probing.city
SETTINGS = """
[database]
name = "{name}"
[[source]]
name = "city"
kind = "http_json"
preset = "plain_12345"
channel = "hotline"
mode = "route"
zone = "Asia/Shanghai"
key_env = "CITY_KEY"
requests_per_minute = 60000
url = "{url}"
"""


async def test_what_is_shown_is_a_line_of_each_item_and_without_the_database_nothing_is_shown(  # noqa: PLR0917 - fixtures
    city: City, mongo: Database, mongo_server: Servers, amqp: Amqp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake.house, "PATIENCE_MS", 200)
    file = tmp_path / "intake.toml"
    file.write_text(SETTINGS.format(name=mongo.name, url=city.url), encoding="utf-8")
    kinds = {name: kind.settings for name, kind in REGISTRY.items()}
    shown: list[list[str]] = []
    for mongo_url in (mongo_server.mongo_url, "mongodb://127.0.0.1:9/"):
        named = {"MONGO_URL": mongo_url, "AMQP_URL": amqp.url, "AMQP_MANAGEMENT_URL": amqp.management, "CITY_KEY": KEY}
        read = settings.load(file, named, kinds)
        _, (found,) = await _check(read, tables.load(read), list(read.sources), "检查的人")
        assert found.offered == city.total
        shown.append([appeal_id("city", item.native_id) for item in found.items])
    lines = await mongo.accesses.find().sort("_id", 1).to_list(None)
    assert len(shown[0]) > 0
    assert [(line["item"], line["actor"], line["reason"]) for line in lines] == [
        (id_, "检查的人", "intake check") for id_ in shown[0]
    ]
    assert shown[1] == []
