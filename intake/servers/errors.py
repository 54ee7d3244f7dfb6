"""What may go wrong with a server of our own, grouped by what the operator does next.

ServerError
├── ServerMissing   install it, or name one by a variable
└── ServerFailed    read the named log
"""

from pathlib import Path

#: How much of a log an operator needs to see why a server ended.
LAST_LINES = 8


class ServerError(Exception):
    """A server cannot be had; the message says what to do, in Chinese and English."""


class ServerMissing(ServerError):
    """No program to start and no address to use."""


class ServerFailed(ServerError):
    """It was started and did not come up."""

    def __init__(self, name: str, log: Path) -> None:
        lines = log.read_text("utf-8", "replace").splitlines()[-LAST_LINES:] if log.exists() else []
        super().__init__(
            "\n".join([f"{name} 启动失败，日志见 {log} / {name} did not start; its log is {log}. It ends:", *lines])
        )
