"""PURE: values of search parameters, as R4 writes them: https://hl7.org/fhir/R4/search.html."""

import re

from msgspec import Struct

from carethread.fhir.dates import Span

# In a value, what separates parts; before each a backslash takes that meaning away.
_ESCAPED = re.compile(r"\\([\\,|$])")
_REFERENCE = re.compile(r"(?:(?P<type>[A-Z][A-Za-z]{1,63})/)?(?P<id>[A-Za-z0-9.-]{1,64})", re.ASCII)


class Token(Struct, frozen=True):
    """A code. Of `system`, `None` is any and an empty text is none; a `code` of `None` is any of the system."""

    system: str | None
    code: str | None


class Reference(Struct, frozen=True):
    """Something by its id. Without a type, it is of any the parameter may lead to. `type` is empty if unknown."""

    type: str
    id: str


class ByIdentifier(Struct, frozen=True):
    """Something by what it is called outside; of a type, if one was named. A system of `None` is any."""

    type: str
    system: str | None
    value: str


class Text(Struct, frozen=True):
    """Text that something begins with; that it is; that it contains."""

    text: str
    exact: bool = False
    contains: bool = False


Value = Span | Token | Reference | ByIdentifier | Text


def split(text: str, separator: str) -> list[str]:
    """Split at a separator that no backslash precedes. What is escaped stays so."""
    parts = [""]
    escaped = False
    for each in text:
        if each == separator and not escaped:
            parts.append("")
            continue
        parts[-1] += each
        escaped = each == "\\" and not escaped
    return parts


def unescape(text: str) -> str:
    """Take the backslashes away that only kept a character from separating."""
    return _ESCAPED.sub(r"\1", text) if "\\" in text else text


def read_token(text: str) -> Token | None:
    """Read `code`, `system|code`, `|code` or `system|`; `None` if it is none of them."""
    parts = [unescape(each) for each in split(text, "|")]
    match parts:
        case [code] if code:
            return Token(None, code)
        case [system, code] if system or code:
            return Token(system, code or None)
        case _:
            return None


def read_identifier(text: str, type_name: str) -> ByIdentifier | None:
    """Read an identifier likewise; it needs a value."""
    token = read_token(text)
    return None if token is None or token.code is None else ByIdentifier(type_name, token.system, token.code)


def read_reference(text: str, type_name: str, base: str) -> Reference | None:
    """Read `Type/id`, `id`, or an absolute address below `base`; `None` if it is none of them.

    What is below another base is not here: it is a reference to nothing.
    """
    plain = unescape(text)
    if plain.startswith(f"{base}/"):
        plain = plain[len(base) + 1 :]
    elif plain.startswith(("http://", "https://", "urn:")):
        return Reference(type_name, "")
    found = _REFERENCE.fullmatch(plain)
    if found is None or (type_name and found["type"] not in {None, type_name}):
        return None
    return Reference(found["type"] or type_name, found["id"])
