"""Identifiers: what is one, and what is not."""

import uuid
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carethread import errors, ids
from carethread.clock import Instant

UUID4 = "3f7a8d2c-1e9b-4a6d-9f2e-5c8b7a4d1f92"
SEED = "20260111T143522.045Z-550e8400-e29b-41d4-a716-446655440000"


@given(st.uuids(version=4), st.integers(0, 253_402_300_799_999))
def test_what_is_minted_is_accepted(value: uuid.UUID, now: int) -> None:
    source = lambda: value  # noqa: E731
    assert ids.parse_coordination_id(ids.mint_coordination_id(source)) == value.hex
    assert ids.parse_message_id(ids.mint_message_id(source)) == str(value)
    minted = ids.mint_communication_id(Instant(now), source)
    assert ids.parse_communication_id(minted) == minted
    assert minted.endswith(f"Z-{value}")


def test_minted_ids_are_random() -> None:
    assert ids.random_uuid() != ids.random_uuid()
    assert ids.random_uuid().version == 4


def test_the_ids_of_other_systems_need_not_be_rfc_4122() -> None:
    assert ids.parse_participant_id("9b7c6d5e-4f3a-2b1c-0e8d-7f6a5b4c3d2e")
    assert ids.parse_clinical_id("00000000-0000-0000-0000-000000000000")
    assert ids.parse_communication_id(SEED) == SEED


@pytest.mark.parametrize(
    "parse,text",
    [
        (ids.parse_coordination_id, "7F4C2E9D4B0A4F3A9A2C0E9A6B5D1C88"),
        (ids.parse_coordination_id, "7f4c2e9d4b0a4f3a9a2c0e9a6b5d1c8"),
        (ids.parse_coordination_id, UUID4),
        (ids.parse_coordination_id, "7f4c2e9d4b0a4f3a9a2c0e9a6b5d1c88\n"),
        (ids.parse_message_id, UUID4.upper()),
        (ids.parse_message_id, UUID4.replace("-4a", "-1a")),
        (ids.parse_message_id, UUID4.replace("-9f", "-cf")),
        (ids.parse_message_id, UUID4.replace("-", "")),
        (ids.parse_participant_id, "patient"),
        (ids.parse_participant_id, UUID4 + "0"),
        (ids.parse_clinical_id, ""),
        (ids.parse_communication_id, UUID4),
        (ids.parse_communication_id, SEED.replace("Z", "")),
        (ids.parse_communication_id, SEED.replace("20260111", "20260231")),
        (ids.parse_communication_id, "../" + SEED),
    ],
)
def test_other_texts_are_refused(parse: Callable[[str], str], text: str) -> None:
    with pytest.raises(errors.InvalidValueError):
        parse(text)
