"""As an operator does it: a department is written into the settings, and what is dispatched reaches its address."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import pytest

from intake.servers.processes import free_port
from tests.house import LETTERS, await_, opened
from tests.intake.pushing.test_receiver import OLD, receiver, stored

FUNDS = [["1", "公积金提取", "想问一下住房公积金提取需要哪些材料，公积金贷款还完以后还能提取吗？请尽快答复。"]]


@pytest.mark.live
def test_a_street_pushes_and_its_status_tells_of_it(tmp_path: Path) -> None:
    port = free_port()
    push = f'[[push]]\ndepartment = "GJJ"\nurl = "http://127.0.0.1:{port}/"\nkey_env = "GJJ_KEYS"\nprivate = true\n'
    elsewhere, centre = tmp_path / "department", tmp_path / "centre"
    elsewhere.mkdir()
    centre.mkdir()
    with opened(centre, LETTERS + push, {"GJJ_KEYS": OLD}) as house:
        assert house.command("departments", "ping", "GJJ").returncode == 1, "nobody listens there yet"
        assert "[[push]]" in house.command("departments", "export", "GJJ", "--out", "disc").stderr
        house.intake("import", house.write_letters(FUNDS, "one.csv"), "--source", "letters")
        street = house.start("run")
        try:
            with receiver(elsewhere, port, OLD):
                await_(lambda: len(stored(elsewhere)) > 0, "the order to be pushed", 120)
                await_(lambda: pushed(house).get("taken", 0) > 0, "its being counted")
                told: dict[str, Any] = json.loads(house.intake("departments", "ping", "GJJ", "--json"))
                assert told == {"department": "GJJ", "answer": "done", "reason": "HTTP 204"}
        finally:
            street.send_signal(signal.SIGINT)
            assert street.wait(30) == 0
        assert not pushed(house)["pushing"], "whoever stops lets go of it"


def pushed(house: Any) -> dict[str, Any]:
    found = [each for each in house.json("status")["pushes"] if each["department"] == "GJJ"]
    return dict(found[0]) if found else {}
