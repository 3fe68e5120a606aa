"""Words and tokens for full text: what is indexed, and what a search may say.

Both databases index the same words: runs of letters and digits, without case and accents. Beside a message's words
stand tokens: who may find it (one for each participant and how far the thread reaches through it), its record, its
thread and who takes part in that, its author, its recipients, its kind, what it answers and corrects. So a search walks
only what may be found.

A search is words that must all occur. A word that ends with `*` matches how words begin; words in double quotes must
follow each other.
"""

import re
import unicodedata

from msgspec import Struct

from carethread.errors import InvalidValueError
from carethread.ids import CommunicationId, CoordinationId, MessageId, ParticipantId
from carethread.policy.reading import Reach, reaches
from carethread.record.model import Ledger, Message, MessageType

MAX_TERMS = 16
MAX_QUERY = 400  # characters
_MIN_PREFIX = 2  # letters before a `*`: one alone would walk half of the index
_TERM = re.compile(r'"([^"]*)"|(\S+)')
_ASCII_WORD = re.compile(r"[a-z0-9]+")
_SURROGATE = re.compile("[\ud800-\udfff]")
_ACCENT = "Mn"
# What a database takes for one word: it is cut there, in what is indexed as in what is looked for.
_LONGEST_WORD = 256  # characters, of 4 bytes at most
# Of a message's id as a token: enough to tell messages apart, and what is found is looked at again.
_ID_DIGITS = 12
_UUID_LENGTH = 36


def words_of(text: str) -> list[str]:
    """Return the words of a text, in order."""
    if text.isascii():
        return [each[:_LONGEST_WORD] for each in _ASCII_WORD.findall(text.lower())]
    # Taking apart what is written as one character may leave capitals, and folding them may leave accents.
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    spaced = "".join(each if each.isalnum() else " " for each in plain if unicodedata.category(each) != _ACCENT)
    return [each[:_LONGEST_WORD] for each in spaced.split()]


def message_words(message: Message) -> list[str]:
    """Return what is indexed of a message: its body and the names of its files."""
    return words_of("\n".join([message.body, *(each.file_name for each in message.attachments)]))


# ── Tokens ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _hex(identifier: str) -> str:
    return identifier.replace("-", "")


def access_token(participant: ParticipantId, reach: Reach) -> str:
    """Return the token that says how far a thread reaches through a participant."""
    return f"g{reach.value}{_hex(participant)}"


def record_token(record: CoordinationId) -> str:
    """Return the token of a record."""
    return f"r{record}"


def author_token(author: ParticipantId) -> str:
    """Return the token of an author."""
    return f"a{_hex(author)}"


def participant_token(participant: ParticipantId) -> str:
    """Return the token of whoever takes part in the thread, whatever they may read."""
    return f"p{_hex(participant)}"


def thread_token(thread: CommunicationId) -> str:
    """Return the token of a thread."""
    return f"t{_hex(thread[-_UUID_LENGTH:])}"


def recipient_token(recipient: ParticipantId) -> str:
    """Return the token of whom a message went to."""
    return f"o{_hex(recipient)}"


def kind_token(kind: MessageType) -> str:
    """Return the token of a kind of entry."""
    return f"k{kind.value}"


def answer_token(message: MessageId) -> str:
    """Return the token of what answers a message; another message may, hardly ever, have the same."""
    return f"w{_hex(message)[:_ID_DIGITS]}"


def correction_token(message: MessageId) -> str:
    """Return the token of what corrects a message; likewise."""
    return f"x{_hex(message)[:_ID_DIGITS]}"


def thread_tokens(ledger: Ledger) -> tuple[str, ...]:
    """Return the tokens that all messages of a thread have."""
    tokens = [thread_token(ledger.communication_id)]
    for participant, reach in reaches(ledger).items():
        tokens.append(participant_token(participant))
        if reach is not Reach.NOBODY:
            tokens.append(access_token(participant, reach))
    return tuple(sorted(tokens))


def message_tokens(of_thread: tuple[str, ...], record: CoordinationId, message: Message) -> tuple[str, ...]:
    """Return all tokens of one message."""
    tokens = [*of_thread, record_token(record), author_token(message.author_id), kind_token(message.type)]
    tokens.extend(dict.fromkeys(recipient_token(each.id) for each in message.to))
    if message.in_response_to is not None:
        tokens.append(answer_token(message.in_response_to))
    if message.corrects is not None:
        tokens.append(correction_token(message.corrects))
    return tuple(tokens)


# ── Searching ─────────────────────────────────────────────────────────────────────────────────────────────────────────


class Term(Struct, frozen=True):
    """Words that follow each other; the last one may stand for all that begin so."""

    words: tuple[str, ...]
    prefix: bool = False


class Bound(Struct, frozen=True):
    """One way to find something: a token, within some records (empty: any)."""

    token: str
    records: tuple[CoordinationId, ...] = ()


class Search(Struct, frozen=True):
    """What is looked for. `access` are alternatives; `None` is for whoever may find everything.

    `every` are tokens that must all be there, `records` are alternatives if there are any, and so is each of `choices`.
    `never` are tokens that must not be there.
    """

    terms: tuple[Term, ...] = ()
    access: tuple[Bound, ...] | None = ()
    every: tuple[str, ...] = ()
    records: tuple[CoordinationId, ...] = ()
    choices: tuple[tuple[str | tuple[Term, ...], ...], ...] = ()
    never: tuple[str, ...] = ()


def check_query(text: str) -> str:
    """Return what somebody typed into a search field, if it can be kept in the log.

    Raises:
        InvalidValueError: it is too long, or no text.
    """
    if len(text) > MAX_QUERY:
        raise InvalidValueError("query", f"is longer than {MAX_QUERY} characters")
    if _SURROGATE.search(text):
        raise InvalidValueError("query", "holds a lone surrogate")
    return text


def read_terms(text: str) -> tuple[Term, ...]:
    """Read what somebody typed into a search field.

    Raises:
        InvalidValueError: it is too long, holds no word, or a `*` after less than two letters.
    """
    terms = []
    for quoted, plain in _TERM.findall(check_query(text)):
        words = words_of(quoted or plain)
        prefix = plain.endswith("*")
        if prefix and words and len(words[-1]) < _MIN_PREFIX:
            raise InvalidValueError("query", f"has a * after less than {_MIN_PREFIX} letters")
        if words:
            terms.append(Term(tuple(words), prefix))
    if not terms:
        raise InvalidValueError("query", "holds no word")
    if len(terms) > MAX_TERMS:
        raise InvalidValueError("query", f"has more than {MAX_TERMS} words")
    return tuple(terms)
