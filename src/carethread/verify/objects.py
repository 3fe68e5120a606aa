"""Reading objects of a repository that nothing is taken for granted of: a fault is reported, never raised."""

from carethread.errors import RepositoryError, StorageError
from carethread.git.object_reader import ObjectReader
from carethread.git.objects import Octets
from carethread.verify.codes import Code
from carethread.verify.report import Report


class Objects:
    """The objects of a record, each compared with its id as it is read."""

    def __init__(self, report: Report) -> None:
        """Begin without a reader; an open one that checks ids must be set before anything is read."""
        self.reader: ObjectReader
        self._report = report
        self._faulty: set[bytes] = set()

    def read(self, identifier: bytes, kind: bytes, path: str = "") -> Octets | None:
        """Return an object's content, or nothing where that is reported. `path` is what the object should be."""
        try:
            found = self.reader.read(identifier)
        except (RepositoryError, StorageError) as error:
            code = Code.GIT_OBJECT_DAMAGED if self._is_there(identifier) else Code.GIT_OBJECT_MISSING
            self._fault(identifier, code, f"Object {identifier.hex()} cannot be read: {error}.", path)
            return None
        if found.kind != kind:
            sentence = f"Object {identifier.hex()} is a {found.kind.decode()}, not a {kind.decode()}."
            self._fault(identifier, Code.GIT_OBJECT_DAMAGED, sentence, path)
            return None
        return found.content

    def _is_there(self, identifier: bytes) -> bool:
        try:
            return identifier in self.reader
        except (RepositoryError, StorageError):
            return True

    def _fault(self, identifier: bytes, code: Code, sentence: str, path: str) -> None:
        if identifier not in self._faulty:
            self._faulty.add(identifier)
            self._report.add(code, sentence, path)
