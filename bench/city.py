"""The demonstration city's tables, and a hotline's orders (工单) made of the bench's letters: the work of all sides."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from functools import cache
from itertools import islice
from pathlib import Path
from zlib import crc32

import msgspec

from bench.ground import Task
from bench.one_desk import write
from bench.texts import CITY, Letter, stream
from connectors.channels.hotline_12345 import HotlineSettings
from connectors.raw_appeal import Mode, RawAppeal, appeal_id
from intake.settings import TableFiles
from intake.tables import Tables, load_files

REF_KEY = b"0123456789abcdef0123456789abcdef"
BEGAN = datetime(2026, 11, 2, 8, 0, 0)  # noqa: DTZ001  these systems write local times without a zone
NAME = "云泽市"

SOURCE = HotlineSettings(
    name="bench-hotline",
    kind="hotline_12345",
    channel="hotline",
    mode=Mode.ROUTE,
    zone="Asia/Shanghai",
    every=3600,
    requests_per_minute=1_000_000,
    url="http://127.0.0.1:1/orders",
    key_env="BENCH_HOTLINE_KEY",
    page_size=500,
)


FILES = TableFiles(places=CITY / "places.toml", directory=CITY / "directory.toml")


def files(folder: Path, *, one_desk: bool) -> TableFiles:
    """Give the demonstration city's tables, or those of the same city with one desk for everything."""
    if not one_desk:
        return FILES
    directory, rules = write(folder)
    return msgspec.structs.replace(FILES, directory=directory, rules=rules)


def read(chosen: TableFiles) -> Tables:
    """Read tables as the street does."""
    return load_files(chosen, city=NAME, ref_key=REF_KEY)


@cache
def tables() -> Tables:
    """Give the demonstration city's."""
    return read(FILES)


def orders_of(task: Task) -> Iterator[bytes]:
    """Lay the task's letters out as a hotline's order table has them, one JSON object each."""
    data = None if task.data is None else Path(task.data)
    return orders(islice(stream(task.seed, data), task.records), task.source)


def orders(letters: Iterable[Letter], source: str = SOURCE.name) -> Iterator[bytes]:
    """Fill the columns that every order has; a caller always leaves a number, and calls on nobody else's line."""
    line = crc32(source.encode())
    return (msgspec.json.encode(_order(number, letter, line + number)) for number, letter in enumerate(letters, 1))


def raw_of(order: bytes, native_id: str) -> RawAppeal:
    """Wrap an order as the first room would hand it on."""
    return RawAppeal(
        id=appeal_id(SOURCE.name, native_id),
        source=SOURCE.name,
        kind=SOURCE.kind,
        channel=SOURCE.channel,
        native_id=native_id,
        payload=order,
        zone=SOURCE.zone,
        mode=SOURCE.mode,
    )


def _order(number: int, letter: Letter, line: int) -> dict[str, object]:
    at = f"{BEGAN + timedelta(seconds=number):%Y-%m-%d %H:%M:%S}"
    return {
        "orderId": letter.native_id,
        "orderNum": f"YZ{number:08d}",
        "callTime": at,
        "callerName": "赵钱孙李周吴郑王"[number % 8] + ("先生" if number % 2 else "女士"),
        "callerSex": "男" if number % 2 else "女",
        "callerPhone": f"13{line % 1_000_000_000:09d}",
        "sourceType": "电话",
        "callerType": "",
        "title": letter.title,
        "majorContent": letter.text,
        "isSecret": "0",
        "address": None,
        "updateTime": at,
    }
