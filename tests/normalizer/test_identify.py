"""A citizen is a keyed ref, a surname and no more."""

from collections.abc import Callable

import pytest

from normalizer.appeal import Appeal, Citizen
from normalizer.draft import Draft
from normalizer.steps.identify import citizen_of, contact_of, mobile_of
from tests.normalizer.conftest import known

KEY, OTHER = b"k" * 32, b"o" * 32


def citizen(draft: Draft, source: str = "s", key: bytes = KEY) -> Citizen:
    return citizen_of(draft, mobile_of(draft), source, key)


def test_the_same_mobile_is_the_same_person_however_written_and_wherever() -> None:
    one = citizen(known(phone="138-0013-8000"), "hotline")
    two = citizen(known(phone="+86 13800138000"), "forum")

    assert one.ref == two.ref
    assert one.ref != citizen(known(phone="13800138000"), "hotline", OTHER).ref
    assert "138" not in (one.ref or "")


def test_without_a_mobile_the_sources_user_counts_and_without_that_nobody() -> None:
    assert citizen(known(author_id="7"), "a").ref != citizen(known(author_id="7"), "b").ref
    assert citizen(known(phone="138****8000"), "a").ref is None
    assert not citizen(known(phone="138****8000"), "a").has_contact


@pytest.mark.parametrize(
    ("name", "sex", "channel", "display"),
    [
        ("李强", "先生", "hotline", "李先生"),
        ("欧阳小云", "女士", "hotline", "欧阳女士"),
        ("陈女士", None, "hotline", "陈女士"),
        ("欧阳先生", None, "hotline", "欧阳先生"),
        ("陈小云女士", None, "hotline", None),
        ("李强", None, "hotline", None),
        ("保密", "女士", "hotline", None),
        ("湖边人", "女士", "forum", None),
    ],
)
def test_display_is_a_surname_and_a_form_of_address(
    name: str, sex: str | None, channel: str, display: str | None
) -> None:
    assert citizen(known(author_name=name, sex=sex, channel=channel)).display == display


def test_who_reports_is_confidential_and_has_no_name(read: Callable[..., Appeal]) -> None:
    citizen = read(
        {"text": "实名举报工厂偷排污水", "author": "李女士", "phone": "13800138000"}, channel="hotline"
    ).citizen

    assert (citizen.confidential, citizen.display, citizen.has_contact) == (True, None, True)


def test_the_vault_gets_the_contact_as_it_came() -> None:
    draft = known(author_name="李强", phone="138-0013-8000", mail="a@b.cn", author_id="7")

    assert contact_of(draft, mobile_of(draft)) == {
        "name": "李强",
        "mobile": "138-0013-8000",
        "mail": "a@b.cn",
        "author_id": "7",
    }
