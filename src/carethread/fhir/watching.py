"""PURE: what the criteria of a subscription mean: a search for messages or threads, without anything about its answer.

https://hl7.org/fhir/R4/subscription.html says `criteria` are a search.
"""

from functools import lru_cache

from msgspec import Struct

from carethread.errors import InvalidValueError
from carethread.fhir.criteria import criteria as criteria_of
from carethread.fhir.criteria import types_besides
from carethread.fhir.outcome import Issue, RefusedError
from carethread.fhir.queries import ABOUT_ANSWER, bad, read_pairs, read_query
from carethread.fhir.table import BY_TYPE
from carethread.reads import Criteria, Kind, check_criteria

EXPRESSION = "Subscription.criteria"
_KINDS = {"Communication": Kind.MESSAGE, "CommunicationRequest": Kind.THREAD}
_INSTEAD = "Write it like Communication?recipient=Organization/Pharmacy-A; GET metadata says what there is."


class Watched(Struct, frozen=True):
    """What a subscription is about.

    Attributes:
        type: Communication or CommunicationRequest.
        kind: the same, as reads call it.
        criteria: what must hold.
        besides: the types that chains lead through.
    """

    type: str
    kind: Kind
    criteria: Criteria
    besides: frozenset[str] = frozenset()


@lru_cache(maxsize=1_000)
def read_criteria(text: str, base: str) -> Watched:
    """Return what criteria mean.

    Args:
        text: such as `Communication?recipient=Organization/Pharmacy-A`.
        base: the FHIR base, for absolute references.

    Raises:
        RefusedError: they are not understood; nothing is passed over.
    """
    type_name, _, query = text.partition("?")
    kind = _KINDS.get(type_name)
    if kind is None:
        raise _refused("not-supported", f"is about one of {' and '.join(_KINDS)}")
    try:
        pairs = read_pairs(query.encode())
        for name, _ in pairs:
            if name in ABOUT_ANSWER:
                raise bad("not-supported", "is about an answer, and there is none", name)
        found = read_query(BY_TYPE[type_name], pairs, base)
        criteria = criteria_of(type_name, found)
        check_criteria(criteria)
    except RefusedError as error:
        first = error.issues[0]
        raise _refused(first.code, " ".join((*first.expression, first.text))) from error
    except (InvalidValueError, UnicodeEncodeError) as error:
        raise _refused("value", str(error) if isinstance(error, InvalidValueError) else "is not UTF-8") from error
    return Watched(type_name, kind, criteria, types_besides(found))


def _refused(code: str, text: str) -> RefusedError:
    return RefusedError(422, Issue(code=code, text=text, expression=(EXPRESSION,), instead=_INSTEAD))
