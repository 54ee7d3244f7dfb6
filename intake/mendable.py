"""What goes wrong around us and an operator can mend: said in a sentence, where a traceback would hide it."""

from __future__ import annotations


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
        return f"消息队列不通，请看 intake servers status 或 AMQP_URL · the broker: {error}"
    # The text of a driver's error may hold an address with its password.
    if isinstance(error, ConnectionFailure):
        return (
            "数据库连不上，请看 intake servers status 或 MONGO_URL · "
            f"MongoDB does not answer ({name}): see `intake servers status`, or the address in MONGO_URL"
        )
    if isinstance(error, OperationFailure) and error.code in _REFUSED:
        return (
            "数据库不让进，请核对 MONGO_URL 的用户、密码和权限 · "
            "MongoDB refuses us: look at the user, password and rights in MONGO_URL"
        )
    if isinstance(error, ConfigurationError):
        return f"数据库地址写得不对，请改 MONGO_URL · the address in MONGO_URL can't be used ({name})"
    return None


#: Unauthorized, AuthenticationFailed, and what a cloud's proxy answers instead.
_REFUSED = frozenset({13, 18, 8000})
