"""The tests that stand beside the packaged rules, in router/data/rules.toml."""

from __future__ import annotations

import pytest

from router.dispatching.rule_sheet import read_rules
from router.dispatching.rule_texts import Example, RuleText, Ruling
from tests.router.dispatching.appeals import appeal

RULES = read_rules()


def examples() -> list[tuple[RuleText, Example]]:
    return [(rule, example) for rule in RULES.texts for example in rule.test]


@pytest.mark.parametrize(
    ("rule", "example"), examples(), ids=lambda value: getattr(value, "id", getattr(value, "text", ""))
)
def test_the_example_beside_a_rule_is_decided_as_it_says(rule: RuleText, example: Example) -> None:
    item = appeal(example.text, example.category or rule.category[0], request_type=example.type)
    ruling = RULES.rule_on(item)
    assert isinstance(ruling, Ruling)
    assert ruling.lead == example.lead
    if example.assist is not None:
        assert list(ruling.assist) == example.assist
    assert ruling.rule == (example.rule or rule.id)


def test_every_packaged_rule_has_an_example() -> None:
    assert [rule.id for rule in RULES.texts if not rule.test] == []
