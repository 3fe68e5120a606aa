"""What the database was asked, statement by statement."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from carethread.store import directory_entries
from carethread.store.database import Connection
from carethread.store.statements import compiled


class Asked(list[str]):
    """The SQL of statements, in the order in which they were run."""


@contextmanager
def spying() -> Iterator[Asked]:
    """Note every statement that any connection runs, for the length of a block."""
    asked = Asked()

    def noting(name: str) -> Callable[..., Any]:
        wrapped = getattr(Connection, name)

        def note(self: Connection, statement: Any, *rows: Any, **parameters: Any) -> Any:
            if name != "many" or rows[0]:
                asked.append(statement if name == "text" else str(compiled(statement, self._dialect)))
            return wrapped(self, statement, *rows, **parameters)

        return note

    with pytest.MonkeyPatch.context() as patch:
        for name in ("one", "all", "planned", "run", "many", "text"):
            patch.setattr(Connection, name, noting(name))
        yield asked


def forget_the_directory() -> None:
    """Have every connection forget what it remembers of the directory."""
    directory_entries._answers.clear()
