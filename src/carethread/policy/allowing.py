"""From a check to a button."""

from collections.abc import Callable
from typing import ParamSpec

from carethread.errors import CarethreadError

P = ParamSpec("P")


def allows(check: Callable[P, None], *args: P.args, **kwargs: P.kwargs) -> bool:
    """Say whether a check lets something through: `allows(check_may_post, actor, thread, None)`."""
    try:
        check(*args, **kwargs)
    except CarethreadError:
        return False
    return True
