"""A place is as exact as it is certain, and no more."""

from collections.abc import Callable
from typing import Any

import pytest

from normalizer.appeal import Appeal

NONE = (None, None, None, None)


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("望湖区柳荫街道荷风社区路灯坏了", ("望湖区", "柳荫街道", "荷风社区", None)),
        ("荷风社区路灯坏了", ("望湖区", "柳荫街道", "荷风社区", None)),
        ("明镜湖公园的路灯坏了", ("望湖区", "柳荫街道", "荷风社区", "明镜湖公园")),
        ("新民社区路灯坏了", NONE),
        ("青枫区的新民社区路灯坏了", ("青枫区", "枫林街道", "新民社区", None)),
        ("幸福家园路灯坏了", NONE),
        ("望湖区幸福家园路灯坏了", ("望湖区", "听涛街道", None, "幸福家园")),
        ("我住望湖区，在青枫区上班", NONE),
        ("望湖区柳荫街道和听涛街道都停水", ("望湖区", None, None, None)),
        ("路灯坏了", NONE),
        ({"text": "我住青枫区，路灯坏了", "address": "望湖区柳荫街道"}, ("望湖区", "柳荫街道", None, None)),
        ({"text": "荷风社区路灯坏了", "address": "望湖区"}, ("望湖区", "柳荫街道", "荷风社区", None)),
        ({"text": "观澜社区路灯坏了", "address": "柳荫街道12号"}, ("望湖区", "柳荫街道", None, None)),
        ("A市A3区路灯坏了", ("A3区", None, None, None)),
        ("A3区和K9县都停水", NONE),
    ],
)
def test_places(row: Any, expected: tuple[str | None, ...], read: Callable[..., Appeal]) -> None:
    place = read(row).place

    assert (place.district, place.street, place.community, place.poi) == expected


def test_the_city_is_ours_unless_the_letter_has_a_coded_one(read: Callable[..., Appeal]) -> None:
    assert read("路灯坏了").place.city == "云泽市"
    assert read("A市A3区路灯坏了").place.city == "A市"


def test_the_address_is_kept_masked(read: Callable[..., Appeal]) -> None:
    place = read({"text": "路灯坏了", "address": "柳荫街道12号，电话13800138000"}).place

    assert place.raw == "柳荫街道12号，电话〔手机1〕"
