"""What may go wrong with a server of our own, grouped by what the operator does next.

ServerError
├── ServerMissing   install it, or name one by a variable
├── ServerFailed    read the named log
└── NotWritten      make room on the named disk, then the same again
"""

import shutil
from pathlib import Path

#: How much of a log an operator needs to see why a server ended.
LAST_LINES = 8
#: Bytes free below which a server that did not start has probably found no room: a new mongod takes a third of it.
SCARCE = 1_000_000_000


class ServerError(Exception):
    """A server cannot be had; the message says what to do, in Chinese and English."""


class ServerMissing(ServerError):
    """No program to start and no address to use."""


class ServerFailed(ServerError):
    """It was started and did not come up."""

    def __init__(self, name: str, log: Path) -> None:
        lines = log.read_text("utf-8", "replace").splitlines()[-LAST_LINES:] if log.exists() else []
        head = f"{name} 启动失败，日志见 {log} / {name} did not start; its log is {log}. It ends:"
        super().__init__("\n".join([*_scarce(log.parent), head, *lines]))


class NotWritten(ServerError):
    """What runs can't be written down."""

    def __init__(self, file: Path, error: OSError) -> None:
        said = (
            f"写不了 {file}（{error.strerror}），改好后再执行一次，已存的不会丢 / "
            f"cannot write {file} ({error.strerror}): mend that and run it again, nothing stored is lost"
        )
        super().__init__("\n".join([*_scarce(file.parent), said]))


def _scarce(folder: Path) -> list[str]:
    free = shutil.disk_usage(folder).free
    megabytes = free // 1_000_000
    said = f"盘快满了，只剩 {megabytes} MB，先腾出空间 / the disk is nearly full: {megabytes} MB free, make room first"
    return [said] if free < SCARCE else []
