"""PURE: what the entries of a transaction say of each other, and in which order they are done.

https://hl7.org/fhir/R4/bundle.html#references, https://hl7.org/fhir/R4/http.html#trules
"""

import heapq
import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

import msgspec
from msgspec import Struct

from carethread.fhir.outcome import Issue, RefusedError
from carethread.fhir.submitted import Request

# Where an address may stand that an entry's own replaces.
_ADDRESSES = frozenset({"reference", "url", "uri", "valueUri", "valueUrl"})
_CHOICES = {"valueReference": "value", "valueUri": "value", "valueUrl": "value", "contentAttachment": "content"}
_RESTFUL = re.compile(r"(?P<root>https?://.+/)[A-Z][A-Za-z]{1,63}/[A-Za-z0-9.-]{1,64}", re.ASCII)
_RELATIVE = re.compile(r"[A-Z][A-Za-z]{1,63}/[A-Za-z0-9.-]{1,64}", re.ASCII)
_SEARCH = re.compile(r"[A-Z][A-Za-z]{1,63}\?.+", re.ASCII | re.DOTALL)
# What is created first, then what is changed; at last what is read, as it is then.
_RANKS = {"POST": 0, "PUT": 1}
_READING = 2

_decoder = msgspec.json.Decoder(float_hook=Decimal)
_encoder = msgspec.json.Encoder(decimal_format="number")


class _Place(Struct, frozen=True):
    """An address in a resource: the object and the member that hold it, and its FHIRPath."""

    holder: dict[str, Any]
    member: str
    text: str
    expression: str


class Linked(Struct, frozen=True):
    """What one entry's resource says of others.

    Attributes:
        needs: the numbers of the entries it names.
        searches: what it names by a search, each with the first place where that stands.
    """

    needs: frozenset[int]
    searches: Mapping[str, str]


class Links:
    """The entries of a transaction, and whom they mean by what they call each other."""

    def __init__(self, requests: Sequence[Request], base: str) -> None:
        """Take the entries, and the address of this server."""
        self._base = f"{base}/"
        self._urls = {each.full_url: each.number for each in requests if each.full_url}
        self._put = {_target(each, self._base): each.number for each in requests if each.method == "PUT"}

    def linked(self, request: Request) -> Linked:
        """Return what an entry says of others.

        Raises:
            RefusedError: it names an entry that there is not.
        """
        needs: set[int] = set()
        searches: dict[str, str] = {}
        unknown: list[str] = []
        for place in _places(request):
            meant = self._meant(place.text, request)
            if meant is not None:
                needs.add(meant)
            elif place.text.startswith("urn:uuid:"):
                unknown.append(place.expression)
            elif place.member == "reference" and _SEARCH.fullmatch(place.text):
                searches.setdefault(place.text, place.expression)
        if unknown:
            raise RefusedError(
                422,
                *(
                    Issue(
                        code="not-found",
                        text="no entry of this Bundle has this fullUrl",
                        expression=(each,),
                        instead="Refer by Type/id, or by identifier; urn:uuid is for what this Bundle brings.",
                    )
                    for each in unknown
                ),
            )
        return Linked(frozenset(needs), searches)

    def rewritten(self, request: Request, names: Mapping[int, str], searched: Mapping[str, str]) -> bytes:
        """Return an entry's resource with what others are called now.

        Args:
            request: the entry.
            names: `Type/id` of the entries that were done, by their numbers.
            searched: `Type/id` of what was named by a search.
        """
        if not request.body:
            return request.body
        resource = _decoder.decode(request.body)
        for place in list(_walk(resource, "")):
            meant = self._meant(place.text, request)
            name = names.get(meant) if meant is not None else searched.get(place.text)
            if name is not None:
                place.holder[place.member] = name
        return _encoder.encode(resource)

    def _meant(self, text: str, source: Request) -> int | None:
        if text in self._urls:
            return self._urls[text]
        if _RELATIVE.fullmatch(text):
            root = _RESTFUL.fullmatch(source.full_url)
            if root is not None and f"{root['root']}{text}" in self._urls:
                return self._urls[f"{root['root']}{text}"]
        return self._put.get(text.removeprefix(self._base))


def _target(request: Request, base: str) -> str:
    return request.url.removeprefix(base).removeprefix("/").partition("?")[0]


def _places(request: Request) -> Iterator[_Place]:
    if request.body:
        yield from _walk(_decoder.decode(request.body), f"{request.expression}.resource")


def _walk(value: Any, path: str) -> Iterator[_Place]:
    """Go through a resource; how deeply it is nested has been bounded."""
    if isinstance(value, dict):
        for name, held in list(value.items()):
            place = f"{path}.{_CHOICES.get(name, name)}"
            if isinstance(held, str):
                if name in _ADDRESSES:
                    yield _Place(value, name, held, place)
            else:
                yield from _walk(held, place)
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from _walk(each, f"{path}[{number}]")


def in_order(requests: Sequence[Request], links: Sequence[Linked]) -> list[int]:
    """Return the numbers of the entries as they are to be done: each after those it names.

    Raises:
        RefusedError: some name each other in a circle.
    """
    waits = {each.number: set(link.needs) for each, link in zip(requests, links, strict=True)}
    needed: dict[int, list[int]] = {}
    for number, needs in waits.items():
        for each in needs:
            needed.setdefault(each, []).append(number)
    ready = [(_rank(requests[number]), number) for number, needs in waits.items() if not needs]
    heapq.heapify(ready)
    done: list[int] = []
    while ready:
        _, number = heapq.heappop(ready)
        done.append(number)
        del waits[number]
        for each in needed.get(number, ()):
            waits[each].discard(number)
            if not waits[each]:
                heapq.heappush(ready, (_rank(requests[each]), each))
    if waits:
        raise _in_circles(waits)
    return done


def _rank(request: Request) -> int:
    return _RANKS.get(request.method, _READING)


def _in_circles(waits: Mapping[int, set[int]]) -> RefusedError:
    following = next(iter(waits))
    seen: list[int] = []
    while following not in seen:
        seen.append(following)
        following = min(waits[following])
    circle = sorted(seen[seen.index(following) :])
    return RefusedError(
        422,
        Issue(
            code="business-rule",
            text="these entries name each other in a circle",
            expression=tuple(f"Bundle.entry[{each}]" for each in circle),
            instead="Create them first, and let them name each other in a second request.",
        ),
    )
