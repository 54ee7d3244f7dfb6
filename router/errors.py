"""What may go wrong while routing, grouped by what the caller does next.

RouterError
├── TryLater          nothing is lost: cases keep their unsent dispatches; wait, then deliver again
│   ├── BrokerAway    the broker cannot be reached, or was lost under way
│   └── BrokerBlocks  the broker is there and takes nothing: its disk or its memory is nearly full
├── CallOperator      the same call fails again until somebody changes something outside
│   ├── BrokerRefuses the broker is there and does not let us: user, permission, virtual host
│   └── ManagementRefuses  the management API said no to a change
└── NotPossible       what was asked does not fit this case as it stands: nothing was changed
    ├── NoSuchCase
    ├── NoSuchUnit
    ├── UnitAccused
    └── MoveNotAllowed
"""

from __future__ import annotations


class RouterError(Exception):
    """Something of this room went wrong."""


class TryLater(RouterError):
    """Nothing is lost: wait, then do the same again."""


class BrokerAway(TryLater):
    """RabbitMQ cannot be reached, or the connection was lost under way."""


class BrokerBlocks(TryLater):
    """RabbitMQ is there and takes no messages until its disk or its memory has room again."""


class CallOperator(RouterError):
    """The same call fails again until somebody changes something outside."""


class BrokerRefuses(CallOperator):
    """RabbitMQ is there and does not let us in, or not do this."""


class ManagementRefuses(CallOperator):
    """RabbitMQ's management API said no to a change."""


class NotPossible(RouterError):
    """What was asked does not fit this case as it stands: nothing was changed."""


class NoSuchCase(NotPossible):
    """No case has this id, number, native id or message id."""


class NoSuchLesson(NotPossible):
    """Nothing of this name was learned, or it stands already as was asked."""


class NoSuchUnit(NotPossible):
    """The directory has no such unit, or it takes no orders."""


class UnitAccused(NotPossible):
    """The unit is whom the appeal is about (promise 8): only a person who knows that may give it the case."""


class MoveNotAllowed(NotPossible):
    """The table of moves (router/cases/moves.py) has no such move from the present state."""
