r"""The subset of YAML that `ledger.yaml` and `COORDINATION_STATUS.yaml` are written in.

Block style only: mappings whose nested mappings are indented by two spaces, lists whose `- ` stands at the indentation
of the key that has them, one scalar per line. The reader follows the order of keys it is asked for, so whatever else
YAML knows (comments, anchors, aliases, tags, flow style, block scalars, documents, other nesting) is a fault, named
with its line and path. Nothing here guesses types.

A text is plain when any parser of YAML 1.1 or 1.2 reads it back as that text, whatever it guesses: it begins with a
letter or a character from U+00C0 on, goes on with letters, digits, spaces, `.,'()/&+_-` and characters from U+00A1
on, does not end with a space, and is none of `RESERVED` in any case. Otherwise it stands in double quotes, with a
backslash before `"` and `\`, and characters that YAML cannot print as `\uXXXX` in lower-case hex.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from carethread.errors import FormatError, InvalidValueError

# Words some parser takes for something else than text.
RESERVED = frozenset(["y", "n", "yes", "no", "on", "off", "true", "false", "null", "none", "nan", "inf", "infinity"])

_UNPRINTABLE = "\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff"
_PLAIN = re.compile("[A-Za-z\u00c0-\ufefe\uff00-\U0010ffff][A-Za-z0-9 .,'()/&+_\u00a1-\ufefe\uff00-\U0010ffff-]*(?<! )")
_NOT_PLAIN = re.compile(f"[{_UNPRINTABLE}\ud800-\udfff]")
_TO_ESCAPE = re.compile(rf'["\\{_UNPRINTABLE}]')
_QUOTED = re.compile(r'"((?:[^"\\]|\\["\\]|\\u(?!d[89a-f])[0-9a-f]{4})*)"')
_ESCAPE = re.compile(r'\\(?:(["\\])|u([0-9a-f]{4}))')
# What an error may quote: a key, not what somebody wrote.
_KEY = re.compile(r"( *(?:- )?)([!-9;-~]{1,40}):(?: .*)?")

_PATH_PART = re.compile(r"([a-z_]+)|\[([0-9]+)\]")

_Value = TypeVar("_Value")


def write_scalar(text: str) -> str:
    """Write a text so that every YAML parser reads this text.

    Raises:
        InvalidValueError: it holds a lone surrogate, which YAML cannot say.
    """
    if _PLAIN.fullmatch(text) is not None and text.lower() not in RESERVED and _NOT_PLAIN.search(text) is None:
        return text
    if not text.isascii() and re.search("[\ud800-\udfff]", text) is not None:
        raise InvalidValueError("text", "holds a lone surrogate")
    return f'"{_TO_ESCAPE.sub(_escape, text)}"'


def read_scalar(text: str, field: str) -> str:
    """Read what `write_scalar` wrote.

    Raises:
        InvalidValueError: it would have written something else.
    """
    if text[:1] == '"':
        quoted = _QUOTED.fullmatch(text)
        if quoted is None:
            raise InvalidValueError(field, "is not a text in double quotes")
        value = _ESCAPE.sub(_unescape, quoted[1]) if "\\" in text else quoted[1]
    else:
        value = text
    if write_scalar(value) != text:
        raise InvalidValueError(field, "is not written in the canonical way")
    return value


def _escape(found: re.Match[str]) -> str:
    character = found[0]
    return f"\\{character}" if character in '"\\' else f"\\u{ord(character):04x}"


def _unescape(found: re.Match[str]) -> str:
    return found[1] or chr(int(found[2], 16))


def write_flag(flag: bool) -> str:  # noqa: FBT001  # a writer's one value
    """Write `true` or `false`."""
    return "true" if flag else "false"


def read_flag(text: str, field: str) -> bool:
    """Read `true` or `false`.

    Raises:
        InvalidValueError: it is neither.
    """
    if text not in ("true", "false"):
        raise InvalidValueError(field, "is neither true nor false")
    return text == "true"


def line_of(data: bytes, path: str) -> int:
    """Return the line, counted from 1, of what a path such as `participants[2].role` names in canonical bytes."""
    lines = data.decode().split("\n")
    index = 0
    for key, number in _PATH_PART.findall(path):
        if key:
            index = next(at for at in range(index, len(lines)) if lines[at].lstrip(" -").startswith(f"{key}:"))
        else:
            items = [at for at in range(index + 1, len(lines)) if lines[at].lstrip(" ").startswith("- ")]
            index = items[int(number)]
    return index + 1


class YamlReader:
    """Reads one file from top to bottom, as the caller says what must come next.

    `keys` are the keys of the mapping that begins there, in their order; those the caller does not ask for with
    `optional` are required.
    """

    __slots__ = ("_file", "_indentation", "_index", "_keys", "_lines", "_path", "_prefix")

    def __init__(self, file: str, data: bytes, keys: tuple[str, ...]) -> None:
        """Take a file's bytes; its name is for errors.

        Raises:
            FormatError: not UTF-8, or not ended by a line feed.
        """
        self._file = file
        try:
            text = data.decode()
        except UnicodeDecodeError as error:
            raise FormatError(file, 1 + data.count(b"\n", 0, error.start), "is not UTF-8") from None
        # The empty text after the last line feed stays: no line begins with it, so it ends every mapping and list.
        self._lines = text.split("\n")
        if self._lines[-1]:
            raise FormatError(file, len(self._lines), "does not end with a line feed")
        self._index = 0
        self._indentation = ""
        self._prefix = ""
        self._path = ""
        self._keys = keys

    def value(self, key: str, read: Callable[[str, str], _Value]) -> _Value:
        """Read the scalar of the next key, which must be this one."""
        value = self.optional(key, read)
        if value is None:
            raise self._wrong_key(key)
        return value

    def optional(self, key: str, read: Callable[[str, str], _Value]) -> _Value | None:
        """Read the scalar of the next key if it is this one."""
        line = self._lines[self._index]
        start = f"{self._prefix}{key}: "
        if not line.startswith(start):
            return None
        try:
            value = read(line[len(start) :], self._path + key)
        except InvalidValueError as error:
            raise self.fault(str(error)) from None
        self._index += 1
        self._prefix = self._indentation
        return value

    def begins(self, key: str) -> bool:
        """Tell whether the next line begins the mapping or list of this key."""
        return self._lines[self._index] == f"{self._prefix}{key}:"

    @contextmanager
    def mapping(self, key: str, keys: tuple[str, ...]) -> Iterator[None]:
        """Read the mapping of the next key, which must be this one."""
        self._begin(key)
        outer = self._keys, self._path, self._indentation
        self._keys, self._path, self._indentation = keys, f"{self._path}{key}.", self._indentation + "  "
        self._prefix = self._indentation
        yield
        self._end()
        self._keys, self._path, self._indentation = outer
        self._prefix = self._indentation

    def mappings(self, key: str, keys: tuple[str, ...]) -> Iterator[None]:
        """Read the list of mappings of the next key, which must be this one; yields at the beginning of each."""
        self._begin(key)
        outer = self._keys, self._path, self._indentation
        dash = self._indentation + "- "
        self._keys, self._indentation = keys, self._indentation + "  "
        count = 0
        while self._lines[self._index].startswith(dash):
            self._prefix, self._path = dash, f"{outer[1]}{key}[{count}]."
            count += 1
            yield
            self._end()
        self._keys, self._path, self._indentation = outer
        self._prefix = self._indentation
        if not count:
            raise self.fault(f"{self._path}{key}: is not a list of mappings")

    def scalars(self, key: str, read: Callable[[str, str], _Value]) -> tuple[_Value, ...]:
        """Read the list of scalars of the next key, which must be this one."""
        self._begin(key)
        dash = self._indentation + "- "
        values: list[_Value] = []
        while (line := self._lines[self._index]).startswith(dash):
            try:
                values.append(read(line[len(dash) :], f"{self._path}{key}[{len(values)}]"))
            except InvalidValueError as error:
                raise self.fault(str(error)) from None
            self._index += 1
        if not values:
            raise self.fault(f"{self._path}{key}: is not a list")
        return tuple(values)

    def finish(self) -> None:
        """Make sure that nothing is left."""
        if self._index != len(self._lines) - 1:
            raise self._unexpected()

    def fault(self, fault: str) -> FormatError:
        """Return the error for the line that would be read next."""
        return FormatError(self._file, self._index + 1, fault)

    def _begin(self, key: str) -> None:
        if not self.begins(key):
            raise self._wrong_key(key)
        self._index += 1
        self._prefix = self._indentation

    def _end(self) -> None:
        if self._lines[self._index].startswith(self._indentation):
            raise self._unexpected()

    def _wrong_key(self, key: str) -> FormatError:
        line = self._lines[self._index]
        found = _KEY.fullmatch(line)
        if found is None or found[1] != self._prefix:
            known = self._index == len(self._lines) - 1 or (found is not None and len(found[1]) < len(self._prefix))
            return self.fault(f"{self._path}{key}: {'is missing' if known else 'is not what this line says'}")
        if found[2] == key:
            return self.fault(f"{self._path}{key}: is not in the form it must have")
        if found[2] in self._keys[self._keys.index(key) :]:
            return self.fault(f"{self._path}{key}: is missing")
        return self._unexpected()

    def _unexpected(self) -> FormatError:
        found = _KEY.fullmatch(self._lines[self._index])
        if found is None or found[1] != self._indentation:
            return self.fault("is not a key of the mapping before it")
        key = f"{self._path}{found[2]}"
        if found[2] in self._keys:
            return self.fault(f"{key}: is there twice, or not in its place")
        return self.fault(f"{key}: is unknown")
