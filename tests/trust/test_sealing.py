"""What was sealed here comes back, to whoever names what it is about, and nothing else does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carethread.trust.sealing import Seal, SealError

SEAL = Seal(bytes(range(32)))
ABOUT = st.lists(st.binary(max_size=8), max_size=3)


@given(st.binary(min_size=1), ABOUT)
def test_it_comes_back(content: bytes, about: list[bytes]) -> None:
    assert SEAL.open(SEAL.seal(content, *about), *about) == content


@given(ABOUT, ABOUT)
def test_it_is_about_one_thing(one: list[bytes], other: list[bytes]) -> None:
    sealed = SEAL.seal(b"content", *one)
    if one != other:
        with pytest.raises(SealError):
            SEAL.open(sealed, *other)


@given(st.one_of(st.text(max_size=80), st.binary(max_size=60).map(lambda raw: raw.hex())))
def test_nobody_makes_one_up(text: str) -> None:
    with pytest.raises(SealError):
        SEAL.open(text)


def test_another_key_opens_nothing() -> None:
    with pytest.raises(SealError):
        Seal(bytes(32)).open(SEAL.seal(b"content"))
