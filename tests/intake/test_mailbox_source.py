"""A mailbox in the settings is read like any other source: its way is opened, and closed again."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from connectors.registry import REGISTRY
from intake.settings import load
from intake.street.clock import Clock
from intake.street.rooms import open_connectors
from tests.connectors.mail_server import PASSWORD, USER, mail_server
from tests.connectors.recording import read

LETTER = "From: a@mail.example\r\nSubject: =?utf-8?B?6Lev54Gv?=\r\nMessage-ID: <1@mail.example>\r\n\r\nwords\r\n"
SOURCE = """
[[source]]
name = "mayor"
kind = "mailbox"
channel = "mailbox"
mode = "observe"
zone = "Asia/Shanghai"
url = "{url}"
user_env = "MAIL_USER"
password_env = "MAIL_PASSWORD"
ca_file = "{ca_file}"
requests_per_minute = 60000
"""


async def test_a_mailbox_of_the_settings_is_read(tmp_path: Path) -> None:
    kinds = {name: kind.settings for name, kind in REGISTRY.items()}
    with mail_server() as server:
        server.put(LETTER.encode())
        file = tmp_path / "intake.toml"
        file.write_text(SOURCE.format(url=server.url, ca_file=server.ca_file), encoding="utf-8")
        settings = load(file, {"MAIL_USER": USER, "MAIL_PASSWORD": PASSWORD}, kinds)

        async with open_connectors(settings.sources, settings, Clock.local(datetime.now(UTC))) as opened:
            ((_, connector),) = opened
            pages = await read(connector)

    assert [item.content[0] for page in pages for item in page.items] == ["路灯"]
