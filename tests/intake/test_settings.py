"""Settings: every problem is told at once, with its file and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.registry import REGISTRY
from intake import settings
from intake.settings_problems import SettingsError

KINDS = {name: kind.settings for name, kind in REGISTRY.items()}

GOOD = """\
city = "云泽市"

[database]
name = "appeals"

[[source]]
name = "hotline"
kind = "hotline_12345"
channel = "hotline"
mode = "route"
zone = "Asia/Shanghai"
url = "http://127.0.0.1:1/orders"
key_env = "HOTLINE_KEY"
"""


def write(folder: Path, text: str) -> Path:
    file = folder / "intake.toml"
    file.write_text(text, encoding="utf-8")
    return file


def problems(folder: Path, text: str, environment: dict[str, str] | None = None) -> dict[int, str]:
    with pytest.raises(SettingsError) as caught:
        settings.load(write(folder, text), environment or {}, KINDS)
    assert all(problem.file == str(folder / "intake.toml") for problem in caught.value.problems)
    return {problem.line: problem.text for problem in caught.value.problems}


def test_good_settings_are_read_with_the_connectors_own(tmp_path: Path) -> None:
    read = settings.load(write(tmp_path, GOOD), {"HOTLINE_KEY": "k", "MONGO_URL": "mongodb://m"}, KINDS)
    assert read.city == "云泽市"
    assert (read.database.name, read.database.url) == ("appeals", "mongodb://m")
    assert read.broker.url is None
    assert isinstance(read.sources[0], KINDS["hotline_12345"])


def test_every_problem_is_told_at_once_with_its_line(tmp_path: Path) -> None:
    text = """\
citty = "typo"

[database]
name = 5

[tables]
places = "nowhere.toml"

[[source]]
name = "one"
kind = "hotline_12345"
channel = "hotline"
zone = "Asia/Nowhere"
url = "http://127.0.0.1:1"
key_env = "NOT_THERE"
colour = "red"

[[source]]
name = "one"
kind = "carrier_pigeon"
channel = "hotline"
mode = "perhaps"
zone = "Asia/Shanghai"
"""
    found = problems(tmp_path, text)
    assert "citty" in found[1]
    assert "name" in found[4]
    assert "nowhere.toml" in found[7]
    assert "mode" in found[9]  # missing: told at the source's own line
    assert "NOT_THERE" in found[15]
    assert "colour" in found[16]
    assert "one" in found[19]
    assert "carrier_pigeon" in found[20]
    assert "mode" in found[22]


def test_an_unknown_zone_is_told(tmp_path: Path) -> None:
    text = GOOD.replace("Asia/Shanghai", "Asia/Nowhere")
    (told,) = problems(tmp_path, text, {"HOTLINE_KEY": "k"}).values()
    assert "Asia/Nowhere" in told


def test_zone_and_mode_are_stated_never_assumed(tmp_path: Path) -> None:
    lines = [line for line in GOOD.splitlines() if not line.startswith(("zone", "mode"))]
    with pytest.raises(SettingsError) as caught:
        settings.load(write(tmp_path, "\n".join(lines)), {"HOTLINE_KEY": "k"}, KINDS)
    told = " ".join(problem.text for problem in caught.value.problems)
    assert len(caught.value.problems) == 2
    assert "mode" in told
    assert "zone" in told


def test_what_is_not_toml_is_told_with_its_line(tmp_path: Path) -> None:
    assert list(problems(tmp_path, 'city = "a"\nbroken = = 1\n')) == [2]


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError):
        settings.load(tmp_path / "no.toml", {}, KINDS)


def test_the_demonstration_stands_in_where_nothing_was_named(tmp_path: Path) -> None:
    assert settings.find(None, tmp_path) == (settings.DEMO, True)
    here = write(tmp_path, GOOD)
    assert settings.find(None, tmp_path) == (here, False)
    assert settings.find(Path("other.toml"), tmp_path) == (Path("other.toml"), False)


def test_a_secret_never_shows_in_print(tmp_path: Path) -> None:
    environment = {"HOTLINE_KEY": "very-secret", "AMQP_URL": "amqp://u:very-secret@h/"}
    read = settings.load(write(tmp_path, GOOD), environment, KINDS)
    assert "very-secret" not in repr(read)
