"""Progress bars, on standard error, where somebody sees them."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Progress = Callable[[int, int], None]


@contextmanager
def shown(what: str) -> Iterator[Progress | None]:
    """Yield what the library reports progress to; nothing where standard error is no terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich import progress  # noqa: PLC0415 - only on terminals
    from rich.console import Console  # noqa: PLC0415

    columns = (
        progress.TextColumn("{task.description}"),
        progress.BarColumn(),
        progress.MofNCompleteColumn(),
        progress.TimeRemainingColumn(),
    )
    with progress.Progress(*columns, console=Console(file=sys.stderr), transient=True) as bar:
        task = bar.add_task(what, total=None)

        def report(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        yield report


@contextmanager
def counted(what: str, *, wanted: bool = True) -> Iterator[Callable[[int], None] | None]:
    """Yield what work of unknown length reports to how much it has come to; nothing where that is not wanted."""
    if not wanted:
        yield None
        return
    with shown(what) as report:
        yield None if report is None else lambda done: report(done, done)
