"""What goes wrong around us and an operator can mend: said in a sentence, where a traceback would hide it."""

from __future__ import annotations

from collections.abc import Mapping
from errno import EACCES, EDQUOT, EISDIR, ENOENT, ENOSPC, ENOTDIR, EROFS
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from router.errors import RouterError


def sentence(error: BaseException) -> str | None:
    """Say what happened and what to do next; None: a fault of ours, which a traceback tells best."""
    # Only where something went wrong: `intake --help` needs no driver.
    from pymongo.errors import ConfigurationError, ConnectionFailure, OperationFailure  # noqa: PLC0415

    from intake.keys import KeysError  # noqa: PLC0415
    from intake.migrations import SchemaRefused  # noqa: PLC0415
    from intake.servers.errors import ServerError  # noqa: PLC0415
    from intake.tables import BadTableFiles  # noqa: PLC0415
    from router.errors import RouterError  # noqa: PLC0415

    name = type(error).__name__
    if isinstance(error, ServerError | KeysError | SchemaRefused | BadTableFiles):
        return str(error)
    if isinstance(error, RouterError):
        return f"{_of_broker(error)} · the broker: {error}"
    # The text of a driver's error may hold an address with its password.
    if isinstance(error, ConnectionFailure):
        return (
            "数据库连不上，请看 intake servers status 或 MONGO_URL · "
            f"MongoDB does not answer ({name}): see `intake servers status`, or the address in MONGO_URL"
        )
    if isinstance(error, OperationFailure) and error.code in _REFUSED:
        return _REFUSED[error.code]
    if isinstance(error, ConfigurationError):
        return f"数据库地址写得不对，请改 MONGO_URL · the address in MONGO_URL can't be used ({name})"
    return _of_file(error)


def _of_broker(error: RouterError) -> str:
    from router.errors import BrokerBlocks  # noqa: PLC0415

    if isinstance(error, BrokerBlocks):
        return "消息队列的盘或内存快满了，暂不收件：请腾出空间，已存的自己接着发"
    return "消息队列不通，请看 intake servers status 或 AMQP_URL"


def _of_file(error: BaseException) -> str | None:
    """A file that an operator named and that cannot be read or written, or a disk that is full."""
    if not isinstance(error, OSError) or error.errno not in _FILES:
        return None
    if error.filename is None:  # a write to what is open already does not say where
        return f"{_FILES[error.errno]}（df -h 看是哪个盘） · {error.strerror}" if error.errno in _FULL else None
    return f"{_FILES[error.errno]}：{error.filename} · {error.strerror}"


#: What may be wrong with a file that an operator named.
_FILES: Mapping[int | None, str] = {
    ENOENT: "没有这个文件或文件夹，先建好",
    ENOTDIR: "路径中间不是文件夹",
    EISDIR: "这是文件夹，要写文件名",
    EACCES: "没有权限，请看文件的属主和权限",
    EROFS: "这个盘是只读的，换个地方",
    ENOSPC: "盘满了，先腾出空间",
    EDQUOT: "用满了这个用户的磁盘配额，先腾出空间",
}
#: The disk, or what this user may take of it.
_FULL = frozenset({ENOSPC, EDQUOT})
_LOCKED_OUT = (
    "数据库不让进，请核对 MONGO_URL 的用户、密码和权限 · "
    "MongoDB refuses us: look at the user, password and rights in MONGO_URL"
)
#: Unauthorized, AuthenticationFailed, and what a cloud's proxy answers instead; OutOfDiskSpace.
_REFUSED: Mapping[int | None, str] = {
    13: _LOCKED_OUT,
    18: _LOCKED_OUT,
    8000: _LOCKED_OUT,
    14031: "数据库的盘满了，先腾出空间，已存的不会丢 · MongoDB's disk is full: make room, nothing stored is lost",
}
