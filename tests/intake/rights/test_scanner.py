"""The scanner sees what should not be there, wherever it stands, and says where without saying what."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from bson.int64 import Int64

from intake.rights.persons import numbers_of_vault
from intake.rights.scanner import Known, kinds_in, places_in, scan, scan_log
from tests.intake.rights.conftest import PHONE, Desk

NOBODY = Known()
ID_CARD = "430102195503088317"


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        (f"请打{PHONE}联系我", ["mobile"]),
        ("电话 138 0013 8000", ["mobile"]),
        ("+86-138-0013-8000", ["mobile"]),
        (f"身份证{ID_CARD}", ["id_card"]),
        ("卡号6222021234567890128", ["bank_card"]),
        ("发到zhang.san@example.cn", ["mail"]),
        ("〔手机1〕〔门牌1〕拨打12345，共13000元", []),
        ("工单20261122-RX-6ABCDE，编号202611220001", []),
        ("430102195503088318 的校验位不对", []),
        ("1300135013501 是毫秒", []),
        ("8f13800138000c9e4b2a 是消息编号", []),
        ("2026-11-22T01:02:03.000Z", []),
    ],
)
def test_what_is_surely_a_number_is_seen_and_what_is_none_is_not(text: str, kinds: list[str]) -> None:
    assert list(kinds_in(text, NOBODY)) == kinds


@pytest.mark.parametrize(
    ("document", "where"),
    [
        ({"text": f"打{PHONE}"}, "c/1.text"),
        ({"events": [{"note": PHONE}]}, "c/1.events[].note"),
        ({"phone": Int64(13800138000), "fence": Int64(13800138001)}, "c/1.phone"),
        ({"payload": f'{{"tel":"{PHONE}"}}'.encode()}, "c/1.payload"),
        ({PHONE: 1}, "c/1 (key)"),
        ({"native_id": PHONE}, "c/1.native_id"),
    ],
)
def test_it_is_seen_in_every_corner_of_a_document_and_only_its_place_is_told(
    document: dict[str, Any], where: str
) -> None:
    (found,) = places_in(document, NOBODY, "c/1")

    assert (found.where, found.kind) == (where, "mobile")
    assert PHONE not in repr(found)


def test_letters_about_an_at_sign_in_sealed_bytes_are_chance_and_a_line_of_text_is_not() -> None:
    noise, nobody = bytes(range(128, 256)), Known([])

    def kinds(value: bytes) -> list[str]:
        return [found.kind for found in places_in({"payload": value}, nobody, "raw/a")]

    assert kinds(noise + b"q@K.xY" + noise) == []
    assert kinds(noise + b'"email": "sun@qq.com"' + noise) == ["mail"]
    assert kinds(noise + b"13800001234" + noise) == ["mobile"]
    assert kinds("邮箱 sun@qq.com".encode()) == ["mail"]


def test_what_is_known_is_found_in_any_form_that_it_has() -> None:
    assert list(kinds_in("车牌湘A12345堵门", Known(["湘A12345"]))) == ["known"]
    assert list(kinds_in("车牌〔车牌1〕堵门", Known(["湘A12345"]))) == []


async def test_a_street_that_masks_and_seals_shows_nothing(desk: Desk) -> None:
    (id_,) = await desk.take(
        {
            "native_id": 1,
            "title": f"电话{PHONE}",
            "text": f"身份证{ID_CARD}，车牌湘A12345，微信vx:zhangsan88",
            "phone": PHONE,
        }
    )
    await desk.open_case(id_)
    known = Known([number async for number in numbers_of_vault(desk.custody)])
    assert known.stand_in("车牌湘A12345")
    assert known.stand_in("zhangsan88")

    done = await scan(desk.db, known)

    assert done.found == []
    assert {"raw", "appeals", "vault", "cases", "pages", "item_keys", "data_keys"} <= done.collections.keys()


async def test_one_unmasked_word_in_any_collection_is_told_with_its_place(desk: Desk) -> None:
    (id_,) = await desk.take({"native_id": 1, "text": "楼道灯坏了三天没人修，请尽快处理"})
    await desk.open_case(id_)
    for name in ("appeals", "cases", "raw", "vault", "pages", "anything"):
        await desk.db[name].update_one({}, {"$set": {"note": f"回拨{PHONE}"}}, upsert=True)

    done = await scan(desk.db, NOBODY)

    assert {one.where.partition("/")[0] for one in done.found} == {
        *("appeals", "cases", "raw", "pages", "anything"),
    } | {"vault"}
    assert PHONE not in repr(done)


def test_logs_are_looked_at_line_by_line(tmp_path: Path) -> None:
    log = tmp_path / "run.log"
    log.write_text(f"ok\nfailed on {PHONE}\n", encoding="utf-8")

    lines, found = scan_log(log, NOBODY)

    assert (lines, [(one.where, one.kind) for one in found]) == (2, [("run.log:2", "mobile")])


def test_a_servers_log_is_full_of_long_numbers_that_are_no_cards(tmp_path: Path) -> None:
    log = tmp_path / "mongo.log"
    log.write_text(f"session 6217000010001234569 of intake@localhost.log\n{PHONE}\n", encoding="utf-8")

    assert [one.where for one in scan_log(log, NOBODY, of_server=True)[1]] == ["mongo.log:2"]
    assert len(scan_log(log, NOBODY)[1]) == 3
