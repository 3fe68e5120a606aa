"""A FHIR store of plain dicts, searched by looping over all of them, as the rules of R4 are written.

https://hl7.org/fhir/R4/search.html. It uses nothing of ours, and knows resources as they went over the wire.
"""

import calendar
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

Resource = dict[str, Any]
Pairs = Sequence[tuple[str, str]]
_MILLISECOND = timedelta(milliseconds=1)
_EXTENSION = "https://carethread.example/fhir/StructureDefinition"
_DATE = re.compile(r"(eq|ne|gt|lt|ge|le|sa|eb)?(.*)")
# The code systems to which R4 binds the element of this name.
_STATUS = {
    "Communication": "http://hl7.org/fhir/event-status",
    "CommunicationRequest": "http://hl7.org/fhir/request-status",
}
# Where an answer says what about itself, and not what is looked for.
_ABOUT_THE_ANSWER = {"_sort", "_count", "_include", "_revinclude", "_total"}


def reference_of(resource: Resource) -> str:
    return f"{resource['resourceType']}/{resource['id']}"


class NaiveStore:
    """What is there, and what a search finds of it."""

    def __init__(self, base: str) -> None:
        """Answer as a server with this base."""
        self._base = base
        # In the order in which they were first recorded.
        self.resources: dict[str, Resource] = {}

    def put(self, resource: Resource) -> None:
        """Keep a resource, or a newer version of it."""
        self.resources[reference_of(resource)] = resource

    def forget(self, kind: str) -> None:
        """Forget everything of a type."""
        self.resources = {reference: each for reference, each in self.resources.items() if each["resourceType"] != kind}

    def of(self, kind: str) -> list[Resource]:
        return [each for each in self.resources.values() if each["resourceType"] == kind]

    # ── What fulfils a search ─────────────────────────────────────────────────────────────────────────────────────────

    def search(self, kind: str, pairs: Pairs, may_read: Callable[[Resource], bool]) -> list[Resource]:
        """Return what is found, in order: all parameters must hold."""
        asked = [each for each in pairs if each[0] not in _ABOUT_THE_ANSWER]
        found = [
            each
            for each in self.of(kind)
            if may_read(each) and all(self._holds(each, name, value, may_read) for name, value in asked)
        ]
        by, newest = {"Communication": ("sent", True), "CommunicationRequest": ("authored", True)}[kind]
        for name, value in pairs:
            if name == "_sort":
                by, newest = value.removeprefix("-"), value.startswith("-")
        # Sorting keeps what is equal in the order of recording; the newest first turns all of it round.
        found.sort(key=lambda each: _instant(self._elements(each, by)[0]))
        return found[::-1] if newest else found

    def included(self, matches: list[Resource], pairs: Pairs, may_read: Callable[[Resource], bool]) -> set[str]:
        """Return what comes along with the matches of a page."""
        along = set()
        for name, value in pairs:
            kind, _, element = value.partition(":")
            if name == "_include":
                named = {
                    each["reference"]
                    for match in matches
                    if match["resourceType"] == kind
                    for each in self._elements(match, element) + self._beside(match, element)
                }
                along |= {each for each in named if each in self.resources and may_read(self.resources[each])}
            elif name == "_revinclude":
                there = {reference_of(each) for each in matches}
                along |= {
                    reference_of(each)
                    for each in self.of(kind)
                    if may_read(each) and there & {link["reference"] for link in self._elements(each, element)}
                }
        return along - {reference_of(each) for each in matches}

    def _beside(self, match: Resource, element: str) -> list[Any]:
        """Return what comes along as if it stood there: a team to which replies go, which R4's `sender` cannot be."""
        return self._elements(match, "sender-care-team") if element == "sender" else []

    def _holds(self, resource: Resource, name: str, value: str, may_read: Callable[[Resource], bool]) -> bool:
        """Of several values with commas between, one must hold."""
        if name.startswith("_has:"):
            _, kind, link, parameter = name.split(":")
            return any(
                reference_of(resource) in {found["reference"] for found in self._elements(each, link)}
                and self._holds(each, parameter, value, may_read)
                for each in self.of(kind)
                if may_read(each)
            )
        link, chained, rest = name.partition(".")
        if chained:
            link, _, of_type = link.partition(":")
            targets = [each["reference"] for each in self._elements(resource, link)]
            return any(
                self._holds(self.resources[each], rest, value, may_read)
                for each in targets
                if each in self.resources
                and self.resources[each]["resourceType"] == (of_type or self.resources[each]["resourceType"])
                and may_read(self.resources[each])
            )
        name, _, modifier = name.partition(":")
        found = self._elements(resource, name)
        one = any(self._matches(each, name, modifier, part) for part in value.split(",") for each in found)
        return not one if modifier == "not" else one

    def _matches(self, element: Any, name: str, modifier: str, value: str) -> bool:
        if name in {"sent", "authored", "_lastUpdated"}:
            return _is_when(element, value)
        if modifier == "identifier":
            target = self.resources.get(element["reference"], {})
            return any(_is_token(each, value) for each in target.get("identifier", ()))
        if isinstance(element, dict) and "reference" in element:
            return self._refers(element["reference"], modifier, value)
        return _is_token(element, value)

    def _refers(self, reference: str, of_type: str, value: str) -> bool:
        """`Type/id`, an id alone, or a whole URL of this server."""
        kind, _, fhir_id = reference.partition("/")
        wanted = value.removeprefix(f"{self._base}/")
        return (not of_type or of_type == kind) and wanted in (reference, fhir_id)

    # ── Where a parameter looks ───────────────────────────────────────────────────────────────────────────────────────

    def _elements(self, resource: Resource, name: str) -> list[Any]:
        meta = resource.get("meta", {})
        match name:
            case "_id":
                return [resource["id"]]
            case "_lastUpdated":
                return [meta["lastUpdated"]]
            case "_tag":
                return list(meta.get("tag", ()))
            case "_security":
                return list(meta.get("security", ()))
            case "status":
                return [{"system": _STATUS[resource["resourceType"]], "code": resource["status"]}]
            case "authored":
                return [resource["authoredOn"]]
            case "patient":
                return [resource["subject"]]
            case "category":
                return [coding for each in resource["category"] for coding in each["coding"]]
            case "corrects" | "sender-care-team":
                url = f"{_EXTENSION}/{name}"
                return [each["valueReference"] for each in resource.get("extension", ()) if each["url"] == url]
        element = {"based-on": "basedOn", "part-of": "partOf", "in-response-to": "inResponseTo"}.get(name, name)
        found = resource.get(element, [])
        return list(found) if isinstance(found, list) else [found]


def _is_token(element: Any, value: str) -> bool:
    """`code`, `system|code`, `|code` without a system, `system|` whatever it is."""
    coding = element if isinstance(element, dict) else {"code": element}
    system, code = coding.get("system", ""), coding.get("code", coding.get("value"))
    wanted_system, bar, wanted = value.rpartition("|")
    return (not bar or system == wanted_system) and (code == wanted or (bool(bar) and not wanted))


# ── Dates ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _is_when(element: str, value: str) -> bool:
    """Compare two periods, each as long as it is exact; what is recorded is exact to the millisecond."""
    found = _DATE.fullmatch(value)
    assert found is not None
    start, end = _period(found[2])
    first, after = _instant(element), _instant(element) + _MILLISECOND
    within = start <= first and after <= end
    match found[1]:
        case "ne":
            return not within
        case "gt":
            return after > end
        case "lt":
            return first < start
        case "ge":
            return after > end or within
        case "le":
            return first < start or within
        case "sa":
            return first >= end
        case "eb":
            return after <= start
    return within


def _period(text: str) -> tuple[datetime, datetime]:
    date, _, time = text.partition("T")
    if time:
        start = _instant(text) if re.search(r"Z|[+-]\d\d:\d\d$", time) else _instant(f"{text}Z")
        digits = re.sub(r"(Z|[+-]\d\d:\d\d)$", "", time)
        length = timedelta(minutes=1) if len(digits) == len("hh:mm") else timedelta(seconds=1)
        if "." in digits:
            length = timedelta(seconds=10.0 ** -len(digits.partition(".")[2]))
        return start, start + length
    year, month, day = ([int(each) for each in date.split("-")] + [0, 0])[:3]
    start = datetime(year, month or 1, day or 1, tzinfo=UTC)
    days = 1 if day else calendar.monthrange(year, month)[1] if month else 366 if calendar.isleap(year) else 365
    return start, start + timedelta(days=days)


def pages(matches: list[Resource], count: int) -> Iterator[list[Resource]]:
    """Return what is on each page, which holds so many; nothing is on one empty page."""
    for at in range(0, max(1, len(matches)), count):
        yield matches[at : at + count]
