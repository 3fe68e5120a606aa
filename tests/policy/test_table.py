"""Every role, relation, visibility, status and operation, with the answer that somebody wrote down."""

import pytest

from carethread import errors
from tests.policy.scene import OPERATIONS, ROLES, VISIBILITIES, scene
from tests.policy.table import Case, Row, read_table

TABLE = read_table()
IMPOSSIBLE = frozenset(case for row in TABLE.impossible for case in row.cases())


def _answer(case: Case) -> str:
    role, relation, visibility, status, operation = case
    try:
        OPERATIONS[operation](scene(role, relation, visibility, status))
    except errors.UnknownThreadError:
        return "unknown"
    except errors.CarethreadError as error:
        return error.code
    return "yes"


@pytest.mark.parametrize("row", TABLE.rows, ids=lambda row: f"line {row.line}")
def test_the_answer_is_the_one_written_down(row: Row) -> None:
    cases = [case for case in row.cases() if case not in IMPOSSIBLE]
    assert cases, "the row covers nothing"
    wrong = [f"{' '.join(case)}: {answer}" for case in cases if (answer := _answer(case)) != row.answer]
    assert wrong == []


def test_every_case_is_in_exactly_one_row() -> None:
    rows: dict[Case, list[int]] = {}
    for row in TABLE.rows:
        for case in row.cases():
            rows.setdefault(case, []).append(row.line)
    wrong = [
        f"{' '.join(case)}: lines {rows.get(case, [])}"
        for case in TABLE.cases()
        if case not in IMPOSSIBLE and len(rows.get(case, [])) != 1
    ]
    assert wrong[:20] == []


def test_what_cannot_exist_is_less_than_half() -> None:
    assert len(IMPOSSIBLE) < len(list(TABLE.cases())) / 2


def test_the_table_knows_every_value_that_the_threads_have() -> None:
    roles, _, visibilities, _, operations = TABLE.columns
    assert set(roles) == set(ROLES)
    assert set(visibilities) == set(VISIBILITIES)
    assert set(operations) == set(OPERATIONS)
