"""A department's address is looked at before anything is sent there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from intake.pushing.settings import Push
from intake.settings import load
from intake.settings_problems import SettingsError

KEYS = {"ZJJ_PUSH_KEYS": "whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}
GOOD: dict[str, Any] = {"department": "ZJJ", "url": "https://zjj.example.gov.cn/appeals", "key_env": "ZJJ_PUSH_KEYS"}


@pytest.mark.parametrize(
    "change", [{}, {"private": True, "url": "http://10.1.2.3:8080/in"}, {"url": "https://8.8.8.8/x"}]
)
def test_an_address_that_can_be_used_has_no_problems(change: dict[str, Any]) -> None:
    assert Push(**GOOD | change).problems(KEYS) == []


@pytest.mark.parametrize(
    ("change", "setting"),
    [
        ({"url": "http://zjj.example.gov.cn/"}, "url"),
        ({"url": "ftp://zjj.example.gov.cn/", "private": True}, "url"),
        ({"url": "https://10.1.2.3/"}, "url"),
        ({"url": "https://[::1]/"}, "url"),
        ({"url": "https://169.254.169.254/latest"}, "url"),
        ({"url": "https://localhost/"}, "url"),
        ({"url": "https://user:word@zjj.example.gov.cn/"}, "url"),
        ({"url": "https://zjj.example.gov.cn:port/"}, "url"),
        ({"url": "https:///appeals"}, "url"),
        ({"key_env": "NONE"}, "key_env"),
    ],
)
def test_what_cannot_be_used_is_named_by_its_setting(change: dict[str, Any], setting: str) -> None:
    problems = Push(**GOOD | change).problems(KEYS)
    assert [each.split(" ", 1)[0] for each in problems] == [setting]


def test_a_settings_file_tells_them_with_their_lines(tmp_path: Path) -> None:
    file = tmp_path / "intake.toml"
    one = '[[push]]\ndepartment = "ZJJ"\nurl = "http://a.example/"\nkey_env = "NONE"\nca = "gone.pem"\n'
    file.write_text(f'city = "云泽市"\n{one}{one}')
    with pytest.raises(SettingsError) as refused:
        load(file, {}, {})
    assert [each.line for each in refused.value.problems] == [4, 5, 6, 8, 9, 10, 11]
