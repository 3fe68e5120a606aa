"""Reading a resource: what is taken from it, and everything that is wrong with it, told together."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import TypeVar

from msgspec import Struct

from carethread.clock import Instant
from carethread.errors import InvalidValueError
from carethread.fhir import types
from carethread.fhir.mapping import terms
from carethread.fhir.mapping.drafts import Named, ResourceRefusedError, RuleIssue
from carethread.fhir.types.primitives import fhir_name
from carethread.record.model import BusinessIdentifier, Sensitivity, Visibility

Draft = TypeVar("Draft")

INDIVIDUALS = ("Practitioner", "RelatedPerson", "Patient")
GROUPS = ("CareTeam", "Organization")
ANYBODY = (*INDIVIDUALS, *GROUPS)
# Why, and what to do instead, by the name of the field.
Reasons = Mapping[str, tuple[str, str]]

_LITERAL = re.compile(r"(?P<type>[A-Z][A-Za-z]{1,63})/(?P<id>[A-Za-z0-9.-]{1,64})", re.ASCII)
_VERSIONED = re.compile(r".+/_history/[A-Za-z0-9.-]{1,64}", re.ASCII)
_CHOICES = ("content_", "value_", "occurrence_")
_SENSITIVITIES = {code: sensitivity for sensitivity, code in terms.SECURITY_CODES.items()}
_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00Z")

ANY_RESOURCE: dict[str, tuple[str, str]] = {
    "implicit_rules": (
        "rules that change how a resource is to be understood are not followed",
        "Leave it out, and say in the resource itself what you mean.",
    ),
    "language": ("the record does not keep the language of a resource", "Leave it out; the text speaks for itself."),
    "contained": (
        "the record keeps people, threads and messages each on their own, never one within another",
        "Refer to a resource of its own, by id or by identifier.",
    ),
    "modifier_extension": (
        "an extension that may turn around what the rest says cannot be kept",
        "Leave it out, and say in the text what you mean.",
    ),
}
_ANYTHING = ("the record has no place for it", "Leave it out, or say it in the text of a message.")
_EXTENSION = (
    "the record has no place for what this extension holds",
    "Leave it out, or say it in the text of a message.",
)


class Reading:
    """One resource that is being read. What is wrong with it is collected, and raised at the end by `finished`."""

    def __init__(self, base: str = "") -> None:
        """Take the address of this server, such as `https://example.org/fhir`; references below it are its own."""
        self._base = f"{base.rstrip('/')}/" if base else ""
        self._issues: list[RuleIssue] = []

    def refuse(self, code: str, expression: str, text: str, instead: str) -> None:
        """Note that something cannot be had."""
        self._issues.append(RuleIssue(code, expression, text, instead))

    def finished(self, draft: Draft | None) -> Draft:
        """End reading, and return what was read; `None` stands for what could not be, which has been noted.

        Raises:
            ResourceRefusedError: something cannot be had.
        """
        if self._issues or draft is None:
            raise ResourceRefusedError(tuple(self._issues))
        return draft

    # ── What is not taken ─────────────────────────────────────────────────────────────────────────────────────────────

    def only(self, value: Struct, at: str, kept: Collection[str], reasons: Reasons | None = None) -> None:
        """Refuse every element that is there and not kept."""
        for field in value.__struct_fields__:
            if field in kept or getattr(value, field) in (None, ()):
                continue
            element = fhir_name(field).lstrip("_")
            for choice in _CHOICES:
                if field.startswith(choice):
                    element = choice[:-1]
            if field.endswith("_element"):
                element += ".extension"
            text, instead = (reasons or {}).get(field) or ANY_RESOURCE.get(field) or _ANYTHING
            # R4 has an extension on every element; what it says is refused like what it stands on.
            if field == "extension":
                text, instead = _EXTENSION
            self.refuse("not-supported", f"{at}.{element}", text, instead)

    # ── References ────────────────────────────────────────────────────────────────────────────────────────────────────

    def reference(self, found: types.Reference | None, at: str, kinds: tuple[str, ...]) -> Named | None:
        """Return what a reference names, if it is one of these kinds. `display` is taken and never kept."""
        if found is None:
            return None
        self.only(found, at, ("reference", "type", "identifier", "display"))
        if found.reference is None:
            return self._by_identifier(found, at, kinds)
        if found.identifier is not None:
            self.refuse(
                "business-rule",
                f"{at}.identifier",
                "a reference names by id or by identifier, not by both",
                "Leave the identifier out.",
            )
        text = self.relative(found.reference)
        literal = _LITERAL.fullmatch(text)
        if literal is None:
            self._refuse_form(text, f"{at}.reference")
            return None
        return self._of_kind(Named(at, literal["type"], literal["id"]), f"{at}.reference", kinds)

    def relative(self, address: str) -> str:
        """Return an address as it is on this server, if it is one."""
        return address.removeprefix(self._base)

    def _refuse_form(self, text: str, at: str) -> None:
        if _VERSIONED.fullmatch(text):
            why = "the record does not keep which version of somebody or something was meant"
            instead = "Refer to it without a version."
        elif text.startswith("#"):
            why, instead = ANY_RESOURCE["contained"]
        elif text.startswith("urn:"):
            why = "nothing in this request has this address"
            instead = "Refer by Type/id or by identifier; urn:uuid is for entries of one transaction."
        else:
            why = "it leads to another server, which is never asked, or is a search"
            instead = "Refer by Type/id, or by identifier."
        self.refuse("value", at, why, instead)

    def _by_identifier(self, found: types.Reference, at: str, kinds: tuple[str, ...]) -> Named | None:
        if found.identifier is None:
            self.refuse(
                "required", at, "it names nothing", "Give a reference, or an identifier with its system and value."
            )
            return None
        named = self.identifier(found.identifier, f"{at}.identifier")
        kind = found.type or (kinds[0] if len(kinds) == 1 else None)
        if kind is None:
            self.refuse(
                "required", f"{at}.type", "an identifier alone does not say what it names", "Give the type as well."
            )
        if named is None or kind is None:
            return None
        return self._of_kind(Named(at, kind, identifier=named), f"{at}.type", kinds)

    def _of_kind(self, named: Named, at: str, kinds: tuple[str, ...]) -> Named | None:
        if named.type in kinds:
            return named
        instead = f"Name one of: {', '.join(sorted(kinds))}."
        if named.type == "PractitionerRole" and "Practitioner" in kinds:
            instead = "Name the Practitioner; for whom they act follows, or is said by on-behalf-of."
        self.refuse("value", at, "this type of resource cannot be named here", instead)
        return None

    def references(self, found: Sequence[types.Reference], at: str, kinds: tuple[str, ...]) -> tuple[Named, ...]:
        """Return what an element's references name; nobody twice."""
        read = [self.reference(each, f"{at}[{number}]", kinds) for number, each in enumerate(found)]
        seen: set[tuple[str, str]] = set()
        for each in read:
            if each is not None and each.pair in seen:
                self.refuse("business-rule", each.expression, "it is named twice", "Name everybody once.")
            elif each is not None:
                seen.add(each.pair)
        return tuple(each for each in read if each is not None)

    def one(self, found: Sequence[types.Reference], at: str, kinds: tuple[str, ...], instead: str) -> Named | None:
        """Return what the one reference of an element names, which R4 lets repeat and the record does not."""
        read = self.references(found, at, kinds)
        if len(found) > 1:
            self.refuse("business-rule", at, "the record keeps one of these", instead)
        return read[0] if read else None

    def agreed(self, found: Iterable[Named | None]) -> Named | None:
        """Return the one that is named in several places, which must agree."""
        first = None
        for each in found:
            if first is None:
                first = each
            elif each is not None and each.pair != first.pair:
                self.refuse(
                    "business-rule",
                    each.expression,
                    f"it names another than {first.expression}",
                    "Name the same in both, or leave one of them out.",
                )
        return first

    # ── Identifiers, instants, labels ─────────────────────────────────────────────────────────────────────────────────

    def identifier(self, found: types.Identifier, at: str) -> BusinessIdentifier | None:
        """Return what something is called outside."""
        self.only(found, at, ("system", "value"))
        if not found.system or not found.value:
            self.refuse(
                "required",
                at,
                "without both a system and a value it identifies nothing",
                "Give both, or leave it out.",
            )
            return None
        return BusinessIdentifier(found.system, found.value)

    def identifiers(self, found: Sequence[types.Identifier], at: str) -> tuple[BusinessIdentifier, ...]:
        """Return the identifiers of a resource, each once."""
        read = [self.identifier(each, f"{at}[{number}]") for number, each in enumerate(found)]
        return tuple(dict.fromkeys(each for each in read if each is not None))

    def instant(self, text: str | None, at: str) -> Instant | None:
        """Return a moment, to the millisecond; what comes after that is no longer a difference to the record."""
        if text is None:
            return None
        try:
            moment = datetime.fromisoformat(text) - _EPOCH if "T" in text else None
        except (ValueError, TypeError):
            moment = None
        if moment is None or moment.days < 0:
            self.refuse(
                "value",
                at,
                "the record wants an existing moment since 1970: date, time to the second, and time zone",
                "Write it like 2026-01-11T14:36:15.234Z, or leave it out.",
            )
            return None
        return Instant((moment.days * 86_400 + moment.seconds) * 1000 + moment.microseconds // 1000)

    def visibility(self, meta: types.Meta | None, at: str) -> Visibility | None:
        """Return what the labels of a resource say of a thread's visibility. All else of `meta` is the server's own."""
        if meta is None:
            return None
        if any(each.system == terms.OBSERVATION_VALUE and each.code == terms.SUBSETTED for each in meta.tag):
            self.refuse(
                "business-rule",
                f"{at}.tag",
                "part of this resource was left out when it was served",
                "Read it again without _elements and _summary, and send the whole.",
            )
        found: Sensitivity | None = None
        for number, each in enumerate(meta.security):
            place = f"{at}.security[{number}]"
            sensitivity = _SENSITIVITIES.get(each.code or "") if each.system == terms.CONFIDENTIALITY else None
            if sensitivity is None or found not in (None, sensitivity):
                self.refuse(
                    "code-invalid",
                    place,
                    "a thread has one label: N, R or V of v3-Confidentiality; no other is kept or enforced",
                    "Use one of these three, or leave it out.",
                )
            found = found or sensitivity
        return None if found is None else Visibility(found)

    # ── Extensions ────────────────────────────────────────────────────────────────────────────────────────────────────

    def extensions(
        self, found: Sequence[types.Extension], at: str, known: Collection[str]
    ) -> dict[str, list[tuple[str, types.Extension]]]:
        """Return the extensions that are known, by address, each with its place."""
        sorted_out: dict[str, list[tuple[str, types.Extension]]] = {each: [] for each in known}
        for number, each in enumerate(found):
            place = f"{at}.extension[{number}]"
            if each.url in sorted_out:
                sorted_out[each.url].append((place, each))
            else:
                self.refuse("extension", place, *_EXTENSION)
        return sorted_out

    def extension_references(
        self, found: Iterable[tuple[str, types.Extension]], kinds: tuple[str, ...]
    ) -> tuple[Named, ...]:
        """Return what extensions name whose value is a reference."""
        read = []
        for place, each in found:
            self.only(each, place, ("url", "value_reference"))
            if each.value_reference is None:
                self.refuse("required", f"{place}.value", "it has no reference", "Give a valueReference.")
            read.append(self.reference(each.value_reference, f"{place}.value", kinds))
        return tuple(each for each in read if each is not None)

    # ── Texts ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    def checked(self, at: str, text: str, check: Callable[[str], str]) -> str:
        """Return a text as the record takes it. What the record says of one that it refuses holds none of it."""
        try:
            return check(text)
        except InvalidValueError as error:
            self.refuse("value", at, f"the record does not take it: {error.fault}", "Change that, and send it again.")
            return text
