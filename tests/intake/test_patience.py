"""Which errors are a server that will be back: for these a page waits, for others it is given up and found again."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from pymongo.errors import (
    AutoReconnect,
    BulkWriteError,
    EncryptionError,
    NetworkTimeout,
    NotPrimaryError,
    OperationFailure,
    ServerSelectionTimeoutError,
)

from intake.street.patience import is_away
from router.errors import BrokerAway, BrokerRefuses


def bulk(*refused: int, unmet: Sequence[int] = ()) -> BulkWriteError:
    return BulkWriteError(
        {
            "writeErrors": [{"index": at, "code": code} for at, code in enumerate(refused)],
            "writeConcernErrors": [{"code": code} for code in unmet],
        }
    )


@pytest.mark.parametrize(
    "error",
    [
        AutoReconnect("x"),
        NetworkTimeout("x"),
        NotPrimaryError("x"),
        ServerSelectionTimeoutError("x"),
        EncryptionError(AutoReconnect("x")),
        bulk(11602, 11602),
        bulk(unmet=[64]),
        bulk(91, unmet=[64]),
        BrokerAway("x"),
    ],
)
def test_a_server_that_goes_away_will_be_back(error: Exception) -> None:
    assert is_away(error)


@pytest.mark.parametrize(
    "error",
    [
        OperationFailure("unauthorized", 13),
        EncryptionError(OperationFailure("unauthorized", 13)),
        bulk(11000),
        bulk(11602, 121),
        bulk(),
        BrokerRefuses("x"),
        KeyError("x"),
    ],
)
def test_a_fault_of_ours_will_not_go_away(error: Exception) -> None:
    assert not is_away(error)
