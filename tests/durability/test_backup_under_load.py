"""A backup taken while others write holds everything that was acknowledged before it began."""

from pathlib import Path

from carethread import CoordinationService
from tests.durability.callers import Task, make_places, write
from tests.durability.forked import forked
from tests.durability.promises import Promises


def test_another_process_writes_meanwhile(tmp_path: Path) -> None:
    home, target = tmp_path / "home", tmp_path / "backup.tar"
    with CoordinationService.open(home, flushes=False) as service:
        places = make_places(service, records=4, threads=2)
        promises = Promises(places)
        with forked(write, Task(str(home), places, callers=8)) as writer:
            writer.wait_for(200)
            counts = len(writer.said)
            service.backup(target)
            writer.wait_for(len(writer.said) + 100)
            writer.kill()
            promises.hear(writer.said, counts)
    assert promises.acknowledged
    with CoordinationService.restore(target, tmp_path / "restored") as restored:
        promises.check_everything(restored)
