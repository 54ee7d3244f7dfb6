"""Equal but for marks, blanks and digits."""

from hypothesis import given
from hypothesis import strategies as st

from normalizer.steps.fingerprint import fingerprint_of


def test_marks_blanks_and_digits_do_not_count() -> None:
    assert fingerprint_of("路灯坏了，3天没人修！") == fingerprint_of("路灯 坏了 5天没人修")
    assert fingerprint_of("路灯坏了") != fingerprint_of("路灯亮了")


@given(st.text(), st.text(alphabet=" ，。！0123456789\n"))
def test_adding_marks_changes_nothing(text: str, marks: str) -> None:
    assert fingerprint_of(marks + text + marks) == fingerprint_of(text)
