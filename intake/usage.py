"""Bad usage (用法不对), told to those who run a command: Chinese first, click's own English behind."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import click

#: What click says, and how it is said in Chinese; the first that fits. Its wording differs a little between versions.
_SAID: Mapping[str, str] = {
    r"No such option:? '?(-[^'\s]*?)'?\.?(?: .*)?": "没有选项 {0}",
    r"No such command '(.*?)'\.(?: .*)?": "没有命令 {0}",
    r"Missing command\.": "没有写命令",
    r"Missing argument (.*?)\.(?: Choose from:\s+(.*))?": "缺少参数 {0}",
    r"Missing option (.*?)\.(?: Choose from:\s+(.*))?": "缺少选项 {0}",
    r"Got unexpected extra arguments? \((.*)\)": "多写了 {0}",
    r"Option '(.*)' requires an argument\.": "选项 {0} 后面要写值",
    r"Option '(.*)' requires (\d+) arguments\.": "选项 {0} 后面要写 {1} 个值",
    r"Option '(.*)' does not take a value\.": "选项 {0} 后面不写值",
    r"(.*) is not one of (.*)\.": "{0} 不是其中之一：{1}",
    r"(.*) is not in the range (.*)\.": "{0} 不在范围内：{1}",
    r"(.*) is not a valid integer(?: range)?\.": "{0} 不是整数",
    r"(.*) is not a valid float(?: range)?\.": "{0} 不是数",
    r"(.*) does not match the formats? (.*)\.": "{0} 的写法不对，应为 {1}",
    r"(?:File|Directory|Path) (.*) does not exist\.": "没有 {0}",
    r"(?:File|Directory|Path) (.*) is a file\.": "{0} 是文件，要的是目录",
    r"(?:File|Directory|Path) (.*) is a directory\.": "{0} 是目录，要的是文件",
    r"(?:File|Directory|Path) (.*) is not readable\.": "{0} 读不了",
    r"(?:File|Directory|Path) (.*) is not writable\.": "{0} 写不了",
    r"(.*): No such file or directory": "没有 {0}",
    r"(.*): Is a directory": "{0} 是目录，要的是文件",
    r"(.*): Permission denied": "{0} 没有权限",
}
_VALUE = r"Invalid value(?: for (?P<name>.*?))?: (?P<what>.*)"
_HAN = re.compile(r"[\u4e00-\u9fff]")


class Misused(click.UsageError):
    """Bad usage as people see it."""

    def show(self, file: Any = None) -> None:  # noqa: ANN401 - click's own signature
        if self.ctx is not None:
            path, pieces = self.ctx.command_path, self.ctx.command.collect_usage_pieces(self.ctx)
            told = f"用法 · Usage: {' '.join([path, *pieces])}\n帮助 · help: {path} --help\n"
            click.echo(told, err=True, file=file)
        click.echo(f"✗ {self.message}", err=True, file=file)


@contextmanager
def chinese_first() -> Iterator[None]:
    """Say in Chinese what click finds wrong with the words of a command."""
    try:
        yield
    except (Misused, click.exceptions.NoArgsIsHelpError):
        raise
    except click.UsageError as error:
        raise Misused(sentence(error.format_message(), getattr(error, "possibilities", None)), error.ctx) from error


def sentence(english: str, alike: list[str] | None = None) -> str:
    """Put the Chinese before it; what is Chinese already (our own) stays as it is."""
    value = re.fullmatch(_VALUE, english, re.DOTALL)
    what, about = (value["what"], f"{value['name'] or ''} 的值不对：".lstrip()) if value else (english, "")
    said = next((said.format(*found.groups()) for said, found in _found(what)), None)
    if said is None and _HAN.search(what):
        return about + what
    instead = f"，是不是 {'、'.join(alike)}" if alike else ""
    return f"{about}{said or '用法不对'}{instead} · {english}"


def _found(what: str) -> Iterator[tuple[str, re.Match[str]]]:
    for pattern, said in _SAID.items():
        if found := re.fullmatch(pattern, what, re.DOTALL):
            yield said, found
