"""What a rehearsal showed comes into force through the street: once, resumable, heard of where it changed."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from normalizer.table_files import PACKAGED
from tests.house import LETTERS, House, await_, opened

pytestmark = pytest.mark.live

SETTINGS = f"""{LETTERS}
[tables]
taxonomy = "taxonomy.toml"
"""
LIGHTS, WAGES = "{}号路口的路灯坏了三天没人修，晚上很黑。", "{}号工地的公司拖欠我三个月工资不发。"
MANY = 120


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    (tmp_path / "taxonomy.toml").write_text((PACKAGED / "taxonomy.toml").read_text("utf-8"), encoding="utf-8")
    with opened(tmp_path, SETTINGS) as made:
        rows = [[f"n{at}", "", (LIGHTS if at % 2 else WAGES).format(at)] for at in range(MANY)]
        made.intake("import", made.write_letters(rows, "letters.csv"), "--source", "letters")
        yield made


def test_new_tables_come_into_force_once_also_after_a_kill_and_only_who_is_concerned_hears(house: House) -> None:
    before = {message["subject"]: code for code, messages in house.drain().items() for message in messages}
    table = house.folder / "taxonomy.toml"
    table.write_text(table.read_text("utf-8").replace("路灯", "陆登"), encoding="utf-8")

    dry = house.json("rehearse", "--text")
    assert (dry["items"], dry["changed"], dry["applied"]) == (MANY, MANY // 2, 0)
    assert not any(house.drain().values()), "a rehearsal changes nothing"

    process = house.start("rehearse", "--text", "--apply", "--yes")
    await_(
        lambda: "street" in (house.folder / "run.log").read_text("utf-8", "replace") or process.poll() is not None, "it"
    )
    process.send_signal(signal.SIGKILL)
    process.wait()
    house.intake("rehearse", "--text", "--apply", "--yes")
    house.intake("run", "--once")

    assert house.json("rehearse", "--text")["changed"] == 0
    balance = house.json("balance")
    assert (balance["offered"], balance["difference_count"], balance["states"].get("in_flight", 0)) == (MANY, 0, 0)
    heard = [(code, message) for code, messages in house.drain().items() for message in messages]
    lights = {id_ for id_, code in before.items() if code == before[heard[0][1]["subject"]]}
    assert {message["subject"] for _, message in heard} == lights
    assert len({message["id"] for _, message in heard}) == len(heard)
    assert len(lights) == MANY // 2
    assert {message["type"] for _, message in heard} <= {
        "appeal.recalled.v1",
        "appeal.updated.v1",
        "appeal.dispatched.v1",
    }

    done = house.command("rehearse", "--text", "--apply", "--yes", "--tables", ".")
    assert done.returncode == 2, "tables that are not in force cannot be applied"
