"""Work of several steps waits its turn like any other."""

import threading
import time
from typing import Any

from carethread.store import writer
from carethread.writes import together
from tests.region import Region


def test_work_that_stands_in_line_behind_a_batch_has_its_turn_after_it(region: Region) -> None:
    archive = region.service.archive
    begun, go = threading.Event(), threading.Event()

    def hold(_: Any) -> tuple[()]:
        begun.set()
        assert go.wait(20)
        return ()

    done: list[str] = []

    def submit(name: str) -> None:
        def note(_: Any) -> tuple[()]:
            done.append(name)
            return ()

        archive.submit(writer.Job(None, apart=note))

    def work() -> None:
        together(region.service, region.caller("A1"), lambda _: done.append("work"))

    asking = [threading.Thread(target=archive.submit, args=(writer.Job(None, apart=hold),))]
    asking[0].start()
    assert begun.wait(20)
    queue = archive.writer._queue
    for ahead, target in enumerate((lambda: submit("first"), work, lambda: submit("last"))):
        asking.append(threading.Thread(target=target))
        asking[-1].start()
        while queue.qsize() <= ahead:
            time.sleep(0.001)
    go.set()
    for each in asking:
        each.join()
    assert done == ["first", "work", "last"]
