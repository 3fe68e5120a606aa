"""`carethread`, with nothing flushed in the background: what that takes has a section of its own."""

from unittest import mock

from carethread.cli import main
from carethread.store.materialise import Materialiser

if __name__ == "__main__":
    with mock.patch.object(Materialiser, "start"):
        main()
