"""What waits in a queue goes out as signed files and is answered by signed files: nothing lost, nothing done twice."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from intake.commands.exchange import signing_key
from intake.exchange.bundle import BadBundle, Bundle, Way, make, read, write
from intake.exchange.incoming import Incoming, Result, import_all
from intake.exchange.outgoing import Outgoing, export
from intake.exchange.settings import Exchange
from intake.exchange.store import ExchangeStore, standings
from intake.sealing import Sealer
from normalizer.steps.mask import Masker
from router.flow import route_page
from router.listening import Ear
from tests.house import INTAKE
from tests.router.city import appeal, handed
from tests.router.conftest import Street, street  # noqa: F401 - a fixture

PROGRAM = Path(__file__).resolve().parents[3] / "docs" / "consumers" / "exchange.py"
KEY = signing_key(b"r" * 32)
CENTRE = base64.b64encode(KEY.public_key().public_bytes_raw()).decode()


@dataclass
class Department:
    """The other side: a folder with the program of the page, no network, and a disc."""

    folder: Path
    public_key: str = field(init=False)

    def __post_init__(self) -> None:
        self.folder.mkdir()
        self.public_key = self.run("key").strip()

    @property
    def exchange(self) -> Exchange:
        return Exchange(department="ZJJ", public_key=self.public_key)

    def run(self, *words: str, fails: bool = False) -> str:
        done = subprocess.run(
            [sys.executable, "-I", str(PROGRAM), *words],
            cwd=self.folder,
            env={"PATH": os.environ["PATH"], "DEPARTMENT": "ZJJ", "PYTHONIOENCODING": "utf-8"},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert (done.returncode != 0) is fails, done.stdout + done.stderr
        return done.stdout + done.stderr

    def read(self, disc: Path, *, fails: bool = False) -> str:
        return self.run("read", str(disc), CENTRE, fails=fails)

    def answer(self, disc: Path, *said: dict[str, Any]) -> str:
        file = self.folder / "said.jsonl"
        file.write_text("".join(json.dumps(each, ensure_ascii=False) + "\n" for each in said), encoding="utf-8")
        return self.run("write", str(disc), str(file))


@dataclass
class Centre:
    """Our side."""

    street: Street
    store: ExchangeStore
    ear: Ear
    folder: Path

    async def orders(self, *names: str) -> None:
        await route_page(self.street.appeals.keep(*(handed(appeal(name, "ZJJ")) for name in names)), self.street.room)

    async def out(self) -> tuple[list[Bundle], Path]:
        """Export onto a new disc."""
        disc = self.folder / f"disc-{len(list(self.folder.glob('disc-*')))}"
        disc.mkdir()
        outgoing = Outgoing(store=self.store, broker_url=self.street.url, key=KEY)
        bundles = await export("ZJJ", "dept.ZJJ", outgoing, self.street.now())
        for each in bundles:
            write(each, disc)
        return bundles, disc

    async def take_in(self, disc: Path, exchange: Exchange) -> list[Result]:
        return await import_all(disc, exchange, Incoming(store=self.store, ear=self.ear, at=self.street.now()))

    async def waiting(self) -> int:
        return sum(each.messages for each in await standings(self.street.database))


@pytest.fixture
def centre(street: Street, seal: Sealer, tmp_path: Path) -> Centre:  # noqa: F811
    ear = Ear(room=street.room, seal=seal, mask=lambda text: Masker().mask("feedback", text))
    return Centre(street, ExchangeStore(street.database, seal), ear, tmp_path)


@pytest.fixture
def department(tmp_path: Path) -> Department:
    return Department(tmp_path / "department")


def accepted(case: str, dispatch: str) -> dict[str, Any]:
    at = datetime.now(UTC).isoformat()
    return {"kind": "accepted", "id": f"f-{case}", "case": case, "dispatch": dispatch, "at": at, "handler": "王工"}


async def test_orders_go_out_by_disc_and_feedback_comes_back_by_disc(centre: Centre, department: Department) -> None:
    await centre.orders("a", "b")
    bundles, disc = await centre.out()
    assert [(each.name, each.manifest.count) for each in bundles] == [("ZJJ-out-000001", 2)]
    assert await centre.street.drain("dept.ZJJ") == [], "what is on a disc is not in the queue as well"
    assert await centre.waiting() == 2, "until the receipt it is counted as out"
    assert "appeal.dispatched.v1" in department.read(disc)

    cases = await centre.street.cases()
    department.answer(disc, *(accepted(each, cases[each].dispatches[0].id) for each in ("a", "b")))
    (result,) = await centre.take_in(disc, department.exchange)

    assert (result.new, result.feedback, result.received) == (True, 2, 1)
    assert await centre.waiting() == 0
    tracks = {
        name: case.handling.tracks["ZJJ"] for name, case in (await centre.street.cases()).items() if case.handling
    }
    assert {name: track.state.value for name, track in tracks.items()} == {"a": "signed", "b": "signed"}
    # Its outcomes go out with the next disc, which also tells that its own was read in.
    (second,), disc = await centre.out()
    assert (second.manifest.number, second.manifest.previous) == (2, bundles[0].digest)
    assert [item.type for item in second.manifest.items] == ["feedback.outcome.v1"] * 2
    assert second.manifest.taken is not None
    department.read(disc)
    assert "ZJJ-in-000001" not in department.answer(disc), "what the centre has need not be brought again"
    kept = await centre.street.database["exchanges"].find_one({"_id": "ZJJ-out-000001"})
    assert kept is not None
    assert "body" not in kept


async def test_a_lost_disc_is_made_again_byte_for_byte_and_a_repeat_does_no_harm(
    centre: Centre, department: Department
) -> None:
    await centre.orders("a")
    _, lost = await centre.out()
    before = {path.name: path.read_bytes() for path in (lost / "ZJJ-out-000001").iterdir()}
    await centre.orders("b")
    bundles, disc = await centre.out()
    assert {path.name: path.read_bytes() for path in (disc / "ZJJ-out-000001").iterdir()} == before
    assert [each.manifest.count for each in bundles] == [1, 1]
    department.read(disc)
    assert "read before" in department.read(disc)
    department.answer(disc)
    assert [each.new for each in await centre.take_in(disc, department.exchange)] == [True]
    assert [each.new for each in await centre.take_in(disc, department.exchange)] == [False]
    # Nothing new: nothing is written, and the number is not used up.
    assert (await centre.out())[0] == []


async def test_a_missing_disc_is_noticed_on_either_side(centre: Centre, department: Department) -> None:
    await centre.orders("a")
    _, first = await centre.out()
    await centre.orders("b")
    _, both = await centre.out()
    shutil.rmtree(both / "ZJJ-out-000001")
    assert "缺第 1 号盘" in department.read(both, fails=True)
    department.read(first)
    department.read(both)

    department.answer(first)
    department.answer(both)
    shutil.rmtree(both / "ZJJ-in-000001")
    with pytest.raises(BadBundle, match="应先导入第 1 号包"):
        await centre.take_in(both, department.exchange)
    assert await centre.waiting() == 2, "what is refused ends nothing"
    assert [each.new for each in await centre.take_in(first, department.exchange)] == [True]
    assert [each.new for each in await centre.take_in(both, department.exchange)] == [True]


def _flip(path: Path, old: bytes, new: bytes) -> None:
    content = path.read_bytes()
    assert old in content
    path.write_bytes(content.replace(old, new, 1))


@pytest.mark.parametrize(
    ("file", "change", "told"),
    [
        ("feedback.jsonl", lambda path: _flip(path, b"accepted", b"resolved"), "第 1 行"),
        ("feedback.jsonl", lambda path: path.write_bytes(path.read_bytes() * 2), "2 行"),
        ("feedback.jsonl", lambda path: path.unlink(), "缺 feedback.jsonl"),
        ("manifest.json", lambda path: _flip(path, b'"count": 1', b'"count": 2'), "签名不对"),
        ("manifest.sig", lambda path: path.write_bytes(b"%%%"), "签名不对"),
        ("manifest.sig", lambda path: path.unlink(), "缺 manifest.sig"),
    ],
)
async def test_what_was_changed_on_its_way_is_refused_with_its_place(
    centre: Centre, department: Department, file: str, change: Callable[[Path], None], told: str
) -> None:
    await centre.orders("a")
    _, disc = await centre.out()
    department.read(disc)
    case = (await centre.street.cases())["a"]
    department.answer(disc, accepted("a", case.dispatches[0].id))
    change(disc / "ZJJ-in-000001" / file)
    with pytest.raises(BadBundle, match=told):
        await centre.take_in(disc, department.exchange)
    assert await centre.waiting() == 1
    after = (await centre.street.cases())["a"]
    assert after.handling is None or after.handling.tracks["ZJJ"].state.value == "dispatched"


async def test_whoever_else_signs_is_not_believed(centre: Centre, department: Department, tmp_path: Path) -> None:
    await centre.orders("a")
    _, disc = await centre.out()
    stranger = Department(tmp_path / "stranger")
    stranger.read(disc)
    stranger.answer(disc)
    with pytest.raises(BadBundle, match="签名不对"):
        await centre.take_in(disc, department.exchange)
    forged = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    assert "签名不对" in department.run("read", str(disc), base64.b64encode(forged).decode(), fails=True)


async def test_a_receipt_of_another_bundle_than_ours_ends_nothing(centre: Centre, department: Department) -> None:
    await centre.orders("a")
    _, disc = await centre.out()
    department.read(disc)
    await centre.street.database["exchanges"].update_one({"_id": "ZJJ-out-000001"}, {"$set": {"sha256": "0" * 64}})
    department.answer(disc)
    with pytest.raises(BadBundle, match="不是同一个"):
        await centre.take_in(disc, department.exchange)
    assert await centre.waiting() == 1


async def test_what_is_sent_again_twice_goes_out_twice_once_the_first_is_there(
    centre: Centre, department: Department
) -> None:
    """A department that lost its database twice; the same bytes wait in its queue again."""
    await centre.orders("a")
    bodies = await centre.street.drain("dept.ZJJ")
    for number in (1, 2):
        await _put_back(centre, bodies)
        bundles, disc = await centre.out()
        assert [(each.manifest.number, each.manifest.count) for each in bundles] == [(number, 1)]
        department.read(disc)
        department.answer(disc)
        await centre.take_in(disc, department.exchange)


async def test_an_export_that_was_killed_before_it_emptied_the_queue_is_not_written_twice(centre: Centre) -> None:
    await centre.orders("a", "b")
    bodies = await centre.street.drain("dept.ZJJ")
    await _put_back(centre, bodies)
    await centre.out()
    await _put_back(centre, bodies)  # as the broker does with what was not acknowledged
    bundles, _ = await centre.out()
    assert [each.manifest.count for each in bundles] == [2]
    assert await centre.street.drain("dept.ZJJ") == []


async def _put_back(centre: Centre, letters: list[tuple[str, bytes]]) -> None:
    import aio_pika  # noqa: PLC0415 - here alone

    async with await aio_pika.connect(centre.street.url) as connection:
        channel = await connection.channel()
        for name, body in letters:
            await channel.default_exchange.publish(aio_pika.Message(body, message_id=name), "dept.ZJJ")


async def test_feedback_that_is_none_is_answered_as_over_the_queue(centre: Centre, department: Department) -> None:
    await centre.orders("a")
    _, disc = await centre.out()
    department.read(disc)
    department.answer(disc, {"kind": "applause", "id": "f-1"}, accepted("z", "none"))
    (result,) = await centre.take_in(disc, department.exchange)
    assert result.feedback == 2
    assert await centre.street.database["strays"].count_documents({}) == 2


def test_a_disc_is_read_where_the_screen_knows_less_than_a_title_has(tmp_path: Path) -> None:
    """Windows writes what goes into a file or a pipe in GBK: a rare character must not keep a whole disc out."""
    department = Department(tmp_path / "ZJJ")
    line = json.dumps(
        {"id": "m1", "type": "appeal.dispatched.v1", "data": {"case": "c1", "sequence": 1, "title": "𠮷祥路积水😀"}}
    )
    disc = tmp_path / "disc"
    write(make("ZJJ", 1, None, [line.encode()], None, datetime(2026, 11, 22, tzinfo=UTC), KEY), disc)

    done = subprocess.run(
        [sys.executable, str(PROGRAM), "read", str(disc), CENTRE],
        cwd=department.folder,
        env={"PATH": os.environ["PATH"], "DEPARTMENT": "ZJJ", "PYTHONIOENCODING": "gbk"},
        capture_output=True,
        check=False,
        timeout=60,
    )

    assert done.returncode == 0, done.stderr.decode("gbk", "replace")
    assert "祥路积水" in done.stdout.decode("gbk")
    assert "已读过" in department.read(disc)


def test_feedback_that_an_editor_began_with_a_byte_order_mark_is_written_without_it(tmp_path: Path) -> None:
    department = Department(tmp_path / "ZJJ")
    said = department.folder / "said.jsonl"
    said.write_text('{"id": "f1", "kind": "accepted"}\r\n{"id": "f2", "kind": "accepted"}\r\n', encoding="utf-8-sig")
    disc = tmp_path / "disc"

    department.run("write", str(disc), str(said))

    bundle = read(disc / "ZJJ-in-000001", Way.IN, department.exchange.key, "ZJJ")
    assert [msgspec.json.decode(line)["id"] for line in bundle.lines] == ["f1", "f2"]


def test_a_department_that_nobody_exchanges_files_with_keeps_its_queue(tmp_path: Path) -> None:
    """A slip of the pen would take an online department's orders off its queue, and no receipt could ever come."""
    key = base64.b64encode(b"k" * 32).decode()
    other = f'[[exchange]]\ndepartment = "GAJ"\npublic_key = "{key}"\n'
    (tmp_path / "intake.toml").write_text(f'[database]\nname = "unused"\n{other}', encoding="utf-8")
    nowhere = {**os.environ, "MONGO_URL": "mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=1"}

    words = ["departments", "export", "ZJJ", "--out", "disc"]
    done = subprocess.run(
        [INTAKE, *words], cwd=tmp_path, env=nowhere, capture_output=True, text=True, check=False, timeout=60
    )

    assert done.returncode == 1
    assert "[[exchange]]" in done.stderr, "before any server is asked"
