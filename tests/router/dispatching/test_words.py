"""The words of a condition: what a quick look rejects would not have been found."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from router.dispatching.rules import Words

_LETTERS = "物业管邻居"
words = st.text(_LETTERS, min_size=1, max_size=3)
spread = st.builds("{}…{}".format, st.text(_LETTERS, max_size=2), words)
texts = st.text(_LETTERS + "。，", max_size=25)


@given(st.lists(st.one_of(words, spread), max_size=5), texts, texts)
def test_what_is_found_is_never_rejected_at_the_first_look(group: list[str], text: str, title: str) -> None:
    condition = Words(group)
    if condition.find(text) or condition.find(title):
        assert condition.may_stand_in(f"{text}\n{title}")


@given(st.lists(words, max_size=5), texts)
def test_of_plain_words_the_first_look_says_whether_one_is_found(group: list[str], text: str) -> None:
    condition = Words(group)
    assert condition.may_stand_in(text) == (condition.find(text) is not None)


def test_the_longest_word_is_found_where_it_stands_first() -> None:
    condition = Words(["物业", "物业公司", "业主…不管"])
    assert condition.find("找物业，物业公司说物业公司") == (4, 8)
    assert condition.find("业主说他不管") == (0, 6)
    assert condition.find("业主。不管") is None
