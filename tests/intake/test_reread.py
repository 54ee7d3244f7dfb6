"""A wrong mapping, from the command line: it is flagged, mended, and what was kept is read again; nothing is lost."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.house import opened

SETTINGS = """
city = ""
[database]
name = "reread"
[broker]
vhost = "/"
[[source]]
name = "board"
kind = "http_json"
channel = "board"
mode = "route"
zone = "Asia/Shanghai"
url = "{url}"
requests_per_minute = 6000
reading = "whole"
[source.list]
path = "/letters"
rows = "{rows}"
[source.fields]
native_id = "id"
title = "title"
text = "content"
posted_at = "at"
"""
LETTERS = [
    {"id": f"L{n}", "title": "路灯不亮", "content": f"小区门口第 {n} 盏路灯不亮，请派人修", "at": "2026-11-20 10:00:00"}
    for n in range(4)
]


@contextmanager
def site(shown: list[list[dict[str, str]]]) -> Iterator[str]:
    """Shows its letters once; whoever missed them gets none."""

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = (
                b"" if "robots" in self.path else json.dumps({"data": {"list": shown.pop() if shown else []}}).encode()
            )
            self.send_response(404 if "robots" in self.path else 200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.live
def test_what_a_wrong_mapping_missed_is_read_again_once_it_is_mended(tmp_path: Path) -> None:
    with (
        site([LETTERS]) as url,
        opened(tmp_path, SETTINGS.format(url=url, rows="data.rows")) as house,
    ):
        assert house.command("run", "--once").returncode == 1
        (flagged,) = house.json("sources", "list")
        assert [cause["cause"] for cause in flagged["state"]["drift"]["causes"]] == ["format_changed"]
        assert "与连接器所知不符" in house.intake("sources", "list")

        assert house.command("sources", "reread", "board").returncode == 1  # the mapping is as it was
        (tmp_path / "intake.toml").write_text(SETTINGS.format(url=url, rows="data.list"), encoding="utf-8")
        reread = house.json("sources", "reread", "board")
        again = house.json("sources", "reread", "board")
        (state,) = house.json("sources", "list")

        assert (reread["rows"], reread["changed"], again["readings"]) == (4, 4, 0)
        assert state["state"]["drift"] is None
        assert state["state"]["stopped"] is None
        assert sum(len(messages) for messages in house.drain().values()) >= 4
