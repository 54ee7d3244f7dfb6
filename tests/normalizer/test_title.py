"""A short title where the source has none."""

from hypothesis import given
from hypothesis import strategies as st

from normalizer.steps.title import MOST, title_of


def test_the_first_clause_after_the_salutation() -> None:
    assert title_of("尊敬的领导：您好！小区东门的路灯坏了，请来修。") == "小区东门的路灯坏了"
    assert title_of("路灯") == "路灯"


@given(st.text(alphabet="路灯坏了，。！〔手机1〕\n您好", max_size=120))
def test_a_title_is_short_and_never_cuts_a_placeholder(text: str) -> None:
    title = title_of(text.replace("〔", "").replace("〕", "").replace("手机1", "〔手机1〕"))

    assert len(title) <= MOST
    assert title.count("〔") == title.count("〕")
