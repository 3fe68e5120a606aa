"""Words of a closed list, as every file of a record writes them."""

from enum import StrEnum
from functools import lru_cache
from typing import TypeVar

from carethread.errors import InvalidValueError

_Word = TypeVar("_Word", bound=StrEnum)


@lru_cache
def _by_text(words: type[_Word]) -> dict[str, _Word]:
    return {word.value: word for word in words}


def read_word(words: type[_Word], text: str, field: str) -> _Word:
    """Return the word that is written like this.

    Raises:
        InvalidValueError: none is; the fault lists those there are.
    """
    known: dict[str, _Word] = _by_text(words)
    word = known.get(text)
    if word is None:
        raise InvalidValueError(field, f"is none of {', '.join(known)}")
    return word
