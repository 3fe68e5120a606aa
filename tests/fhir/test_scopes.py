"""Scopes: what each grants, by tables written by hand, and by a naive reading of the same words."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carethread.fhir.refusals import InsufficientScopeError
from carethread.fhir.scopes import NEEDED, Context, Reach, Scopes

# What each form of a scope grants on Communication, in the order of the letters.
FORMS = {
    "user/Communication.c": "c",
    "user/Communication.r": "r",
    "user/Communication.u": "u",
    "user/Communication.d": "d",
    "user/Communication.s": "s",
    "user/Communication.rs": "rs",
    "user/Communication.crs": "crs",
    "user/Communication.cud": "cud",
    "user/Communication.cruds": "cruds",
    "user/*.rs": "rs",
    "user/*.cruds": "cruds",
    "system/Communication.cu": "cu",
    "patient/Communication.rs": "rs",
    # Version 1.
    "user/Communication.read": "rs",
    "user/Communication.write": "cud",
    "user/Communication.*": "cruds",
    "user/*.read": "rs",
    "user/*.*": "cruds",
    "patient/*.read": "rs",
    # Several at once.
    "user/Communication.c user/Communication.r": "cr",
    "openid fhirUser user/Communication.r launch": "r",
    "user/Communication.c patient/Communication.s": "cs",
    "user/Patient.cruds user/Communication.s": "s",
    # On other types.
    "user/Patient.cruds": "",
    "user/CommunicationRequest.cruds": "",
    # Restricted: they cannot be held to.
    "user/Communication.rs?category=laboratory": "",
    "user/Communication.rs?": "",
    "patient/*.rs?_security=N": "",
    # Not written as they must be.
    "": "",
    " ": "",
    "user/Communication": "",
    "user/Communication.": "",
    "user/Communication.sr": "",
    "user/Communication.rr": "",
    "user/Communication.x": "",
    "user/Communication.R": "",
    "user/Communication.readwrite": "",
    "user/Communication.r,s": "",
    "user/communication.r": "",
    "USER/Communication.r": "",
    "admin/Communication.r": "",
    "/Communication.r": "",
    "Communication.r": "",
    "user/Communication.r\n": "",
    "user/Communication.r\tuser/Communication.s": "",
    "user/Communication.r\u00a0": "",
    "user//Communication.r": "",
    "user/Communication/1.r": "",
    "user/*Communication.r": "",
    "user/**.r": "",
    "user/.r": "",
    "*/*.*": "",
    "*": "",
    "user/*": "",
    "user/Соmmunication.r": "",  # its first two letters are Cyrillic
    "offline_access": "",
}


@pytest.mark.parametrize("text", FORMS)
def test_what_each_form_grants(text: str) -> None:
    scopes = Scopes.parse(text)
    assert "".join(each for each in "cruds" if scopes.allows("Communication", each)) == FORMS[text]


# Scope × interaction: what a token with one letter may do, written by hand.
TABLE = """
                    c   r   u   d   s   rs  cs  cu  cud cruds
read                -   yes -   -   -   yes -   -   -   yes
vread               -   yes -   -   -   yes -   -   -   yes
history-instance    -   yes -   -   -   yes -   -   -   yes
history-type        -   -   -   -   yes yes yes -   -   yes
search-type         -   -   -   -   yes yes yes -   -   yes
create              yes -   -   -   -   -   yes yes yes yes
conditional-create  -   -   -   -   -   -   yes -   -   yes
update              -   -   yes -   -   -   -   yes yes yes
update-create       -   -   -   -   -   -   -   yes yes yes
patch               -   -   yes -   -   -   -   yes yes yes
delete              -   -   -   yes -   -   -   -   yes yes
validate            yes -   -   -   -   -   yes yes yes yes
include             -   yes -   -   -   yes -   -   -   yes
chain               -   -   -   -   yes yes yes -   -   yes
"""
HEAD, *ROWS = [line.split() for line in TABLE.strip().splitlines()]
CELLS = [(row[0], letters, cell) for row in ROWS for letters, cell in zip(HEAD, row[1:], strict=True)]


def test_the_table_has_every_interaction() -> None:
    assert [row[0] for row in ROWS] == list(NEEDED)


@pytest.mark.parametrize("interaction, letters, expected", CELLS)
def test_scope_by_interaction(interaction: str, letters: str, expected: str) -> None:
    reaches = {"user": Reach.ALL, "system": Reach.ALL, "patient": Reach.PATIENT}
    for context, reach in reaches.items():
        for name in ("Communication", "*"):
            scopes = Scopes.parse(f"{context}/{name}.{letters}")
            if expected == "yes":
                assert scopes.check("Communication", interaction) is reach
                continue
            with pytest.raises(InsufficientScopeError):
                scopes.check("Communication", interaction)
        with pytest.raises(InsufficientScopeError):
            Scopes.parse(f"{context}/Communication.{letters}").check("Patient", interaction)


@pytest.mark.parametrize(
    "text, reach",
    [
        ("user/Communication.c user/Communication.s", Reach.ALL),
        ("user/Communication.c patient/Communication.s", Reach.PATIENT),
        ("patient/Communication.c user/*.s", Reach.PATIENT),
        ("patient/*.cruds", Reach.PATIENT),
        ("patient/*.cruds user/*.c", Reach.PATIENT),
        ("patient/*.cruds user/Communication.cruds", Reach.ALL),
        ("user/Communication.c patient/Communication.r", Reach.NONE),
    ],
)
def test_what_takes_two_letters_reaches_as_far_as_the_least_of_them(text: str, reach: Reach) -> None:
    assert Scopes.parse(text).reach("Communication", "cs") is reach


def test_nothing_is_not_granted() -> None:
    assert Scopes.parse("user/*.cruds").reach("Communication", "") is Reach.NONE


@pytest.mark.parametrize(
    "granted, needed",
    [
        ("user/Patient.r", "user/Communication.cs"),
        ("", "user/Communication.cs"),
        ("system/Patient.r", "system/Communication.cs"),
    ],
)
def test_a_refusal_names_what_would_do(granted: str, needed: str) -> None:
    with pytest.raises(InsufficientScopeError) as raised:
        Scopes.parse(granted).check("Communication", "conditional-create")
    assert raised.value.needed == needed
    Scopes.parse(needed).check("Communication", "conditional-create")


def test_an_interaction_that_nobody_knows_is_a_bug() -> None:
    with pytest.raises(KeyError):
        Scopes.parse("user/*.cruds").check("Communication", "guess")


# ── A naive reading ───────────────────────────────────────────────────────────────────────────────────────────────────

VERSION_1 = {"read": {"r", "s"}, "write": {"c", "u", "d"}, "*": {"c", "r", "u", "d", "s"}}
POSSIBLE = {
    "".join(letter for letter, bit in zip("cruds", f"{n:05b}", strict=True) if bit == "1") for n in range(1, 32)
}


def naive(text: str, contexts: set[str]) -> set[tuple[str, str, str]]:
    """Return context, type and letter of everything granted, without a regular expression."""
    found = set()
    for each in text.split(" "):
        context, slash, rest = each.partition("/")
        name, dot, what = rest.partition(".")
        plain = name == "*" or (name.isascii() and name.isalpha() and name[:1].isupper() and len(name) <= 64)
        if not slash or not dot or context not in contexts or not plain:
            continue
        letters = VERSION_1.get(what) or (set(what) if what in POSSIBLE else set())
        found |= {(context, name, letter) for letter in letters}
    return found


CONTEXTS = st.sampled_from(["user", "patient", "system", "admin", "User", ""])
TYPES = st.sampled_from(["Communication", "Patient", "*", "communication", "Patient1", "", "X" * 64, "X" * 65])
WHAT = st.sampled_from([*sorted(POSSIBLE), "read", "write", "*", "sr", "cc", "", "rs?x=y", "x"])
ONE = st.builds("{}/{}.{}".format, CONTEXTS, TYPES, WHAT) | st.text("user/*.crs? \n", max_size=12)
TEXTS = st.lists(ONE, max_size=6).map(" ".join)


@given(
    TEXTS,
    st.sets(st.sampled_from(Context)),
    st.sampled_from(["Communication", "Patient", "X" * 64]),
    st.text("cruds", max_size=3),
)
def test_scopes_grant_what_a_naive_reading_grants(text: str, contexts: set[Context], name: str, letters: str) -> None:
    granted = naive(text, {each.value for each in contexts})

    def has(where: set[str], letter: str) -> bool:
        return any(context in where and kind in (name, "*") and each == letter for context, kind, each in granted)

    expected = Reach.NONE
    if letters and all(has({"user", "system", "patient"}, each) for each in letters):
        everywhere = all(has({"user", "system"}, each) for each in letters)
        expected = Reach.ALL if everywhere else Reach.PATIENT
    assert Scopes.parse(text, frozenset(contexts)).reach(name, letters) is expected


@given(TEXTS, TEXTS, st.sampled_from(["Communication", "Patient"]), st.sampled_from("cruds"))
def test_more_scopes_never_grant_less(one: str, other: str, name: str, letter: str) -> None:
    order = [Reach.NONE, Reach.PATIENT, Reach.ALL]
    both = Scopes.parse(f"{one} {other}").reach(name, letter)
    assert order.index(both) >= max(order.index(Scopes.parse(each).reach(name, letter)) for each in (one, other))


@given(st.text(max_size=60))
def test_whatever_a_scope_says_is_no_error(text: str) -> None:
    grants: Any = Scopes.parse(text).grants
    assert all(grants.values())
