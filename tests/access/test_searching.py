"""What somebody types into a search field is words and nothing else, on both databases alike."""

from collections.abc import Callable, Iterator

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from carethread import CoordinationService, MessageContent, errors
from carethread.ids import CoordinationId, ParticipantId
from carethread.policy.reading import Reach
from carethread.reads import search
from carethread.reads.looking import Looking
from carethread.store import text_index
from carethread.store.access import Filter, lines
from carethread.store.database import Connection
from carethread.store.text_index import Document
from carethread.store.words import Bound, Search, Term, access_token, read_terms, words_of
from carethread.writes import post_message
from tests.databases import Databases
from tests.people import person
from tests.region import Region

GROUP, OTHER = person(1), person(2)
RECORD = CoordinationId("0" * 31 + "1")
TOKENS = (access_token(GROUP, Reach.CLINICIANS), f"r{RECORD}")
# What has a meaning in one of the two query languages, or is hard to take apart.
HARD = [
    *("AND", "OR", "NOT", "NEAR", "NEAR(a b, 2)", "words : a", "tokens:", "^a", "a + b", "{words tokens}", "-a"),
    *("a & b", "a | b", "!a", "a <-> b", "a <2> b", "a:*A", "'", "''", "\\", "(", ")", '"', '""', "*", "a*b", "%", ":"),
    *("\0", "a\0b", "🙂", "👨‍👩‍👧", "שלום", "مرحبا\u061c", "é", "e\u0301", "ﬁne", "ß", "İi", "ǅ", "ﷺ", "½", "²", "Ⅳ"),
    *("क्षि", "ไทย", "日本語", "\u0378", "𐐷", "a_b", "a-b", "a'b", "x" * 300, "𐐷" * 300, *TOKENS, f"+{TOKENS[0]}"),
]
pieces = st.lists(
    st.sampled_from([*HARD, "a", "b", "ab", "abc"]) | st.text(st.characters(exclude_categories=["Cs"]), max_size=6),
    min_size=1,
    max_size=6,
).map(" ".join)


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory, databases: Databases) -> Iterator[tuple[CoordinationService, ...]]:
    """The same empty installation on each database."""
    folder = tmp_path_factory.mktemp("both")
    urls = (None, databases.make())
    opened = [
        CoordinationService.open(folder / str(number), database_url=url, flushes=False)
        for number, url in enumerate(urls)
    ]
    yield tuple(opened)
    for each in opened:
        each.close()


def ask_both(
    both: tuple[CoordinationService, ...], documents: list[Document], asked: Callable[[Connection], object]
) -> list[object]:
    """Index documents in both databases, ask, and take them out again."""
    answers = []
    for service in both:
        with service.archive.database.write() as connection:
            text_index.clear(connection)
            text_index.add(connection, documents)
            answers.append(asked(connection))
            text_index.remove(connection, documents)
            assert text_index.find(connection, Search(access=None, every=TOKENS[1:]), 1 << 62, 0, 10) == []
    return answers


@given(bodies=st.lists(pieces, min_size=1, max_size=3), query=pieces, quotes=st.booleans(), star=st.booleans())
@example(bodies=[f"{TOKENS[0]} and more"], query=TOKENS[0], quotes=False, star=False)
@example(bodies=["𐐷" * 300], query="𐐷" * 257, quotes=False, star=True)
@settings(max_examples=settings().max_examples, deadline=None)
def test_both_databases_find_the_same(
    both: tuple[CoordinationService, ...], bodies: list[str], query: str, quotes: bool, star: bool
) -> None:
    documents = [
        Document(number, tuple(words_of(body)), TOKENS if number % 2 else TOKENS[1:])
        for number, body in enumerate(bodies, 1)
    ]
    typed = f'"{query}"' if quotes else query + "*" * star
    try:
        terms = read_terms(typed)
    except errors.InvalidValueError:
        return
    for access in (None, (Bound(TOKENS[0]),), (Bound(TOKENS[0], (RECORD,)), Bound(access_token(OTHER, Reach.NAMED)))):
        wanted = Search(terms, access, TOKENS[1:], (RECORD,))

        def asked(connection: Connection, wanted: Search = wanted) -> object:
            return text_index.find(connection, wanted, 1 << 62, 0, 10)

        first, second = ask_both(both, documents, asked)
        assert first == second
        expected = [
            each.search_key
            for each in reversed(documents)
            if (access is None or TOKENS[0] in each.tokens) and all(_says(each.words, term) for term in terms)
        ]
        assert first == expected


def _says(words: tuple[str, ...], term: Term) -> bool:
    wanted, prefix = term.words, term.prefix
    for at in range(len(words) - len(wanted) + 1):
        there = words[at : at + len(wanted)]
        if there[:-1] == wanted[:-1] and (there[-1] == wanted[-1] or (prefix and there[-1].startswith(wanted[-1]))):
            return True
    return False


def test_a_member_of_very_many_groups_searches(both: tuple[CoordinationService, ...]) -> None:
    """A regional coordinator is in hundreds of networks, each for one patient."""
    records = tuple(CoordinationId(f"{number:032x}") for number in range(1, 1_001))
    access = tuple(
        Bound(access_token(person(number), Reach.CLINICIANS), (each,)) for number, each in enumerate(records, 1)
    )
    document = Document(7, ("word",), (access_token(person(1_000), Reach.CLINICIANS), f"r{records[-1]}"))
    wanted = Search(read_terms("word"), access)
    for service in both:
        with service.archive.database.write() as connection:
            text_index.clear(connection)
            text_index.add(connection, [document])
            assert text_index.find(connection, wanted, 1 << 62, 0, 10) == [7]
            text_index.remove(connection, [document])


def test_a_text_of_more_words_than_postgresql_takes(both: tuple[CoordinationService, ...]) -> None:
    """The longest body there is, of characters that grow when they are taken apart."""
    body = " ".join("".join(chr(0x3300 + (number * step) % 0x58) for step in (1, 3, 7, 11)) for number in range(20_000))
    document = Document(1, tuple(f"{each}{number}" for number, each in enumerate(words_of(body[:100_000]))), TOKENS)
    first, second = ask_both(
        both,
        [document],
        lambda connection: text_index.find(connection, Search(access=None, every=TOKENS), 1 << 62, 0, 10),
    )
    assert first == second == [1]


# ── Through the whole library ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def hidden(region: Region) -> str:
    """A message that C1 may not read."""
    thread = region.open("A1", ("Clinic-B",), "Secret words", on_behalf_of="Pharmacy-A")
    content = MessageContent(" ".join(each for each in HARD if each.isprintable()))
    post_message(region.service, region.caller("A1"), thread, content)
    return thread


def test_nothing_typed_finds_what_may_not_be_read(region: Region, hidden: str) -> None:
    clinic = region.id("Clinic-B")
    record = next(region.service.records()).coordination_id
    tokens = [f"g{need}{clinic.replace('-', '')}" for need in range(1, 5)]
    tokens += [f"p{clinic.replace('-', '')}", f"r{record}", f"tokens : r{record}", f'" OR tokens : r{record} OR "']
    for typed in (*HARD, *tokens, *(f"x OR {each}" for each in tokens), *(f"x) OR ({each}" for each in tokens)):
        try:
            found = search(region.service, region.caller("C1"), Looking(typed)).hits
        except errors.InvalidValueError:
            continue
        assert found == ()
    assert search(region.service, region.caller("B1"), Looking("secret")).hits


def test_ids_are_ids(region: Region, hidden: str) -> None:
    """They become part of the query: nothing but an id may."""
    record = next(region.service.records()).coordination_id
    for given_id in (f"x OR tokens : r{record} OR tokens : x", f"x':A | '+r{record}':A | 'x", ""):
        for field in ("author", "organisation", "patient"):
            looked = Looking("secret", **{field: ParticipantId(given_id)})  # type: ignore[arg-type]
            with pytest.raises(errors.InvalidValueError):
                search(region.service, region.caller("C1"), looked)


@pytest.mark.parametrize(
    "typed", ["x" * 401, "\ud800", "a*", "*", '""', " ".join("abcdefghijklmnopq")], ids=lambda typed: repr(typed)[:9]
)
def test_what_cannot_be_searched_for(region: Region, typed: str) -> None:
    with pytest.raises(errors.InvalidValueError):
        search(region.service, region.caller("A1"), Looking(typed))


def test_searches_out_of_order(region: Region, hidden: str) -> None:
    service, caller = region.service, region.caller("B1")
    for count in (0, 201):
        with pytest.raises(errors.InvalidValueError):
            search(service, caller, Looking("secret"), count=count)
    for after in ("x", "-1", "f" * 16):
        with pytest.raises(errors.InvalidValueError):
            search(service, caller, Looking("secret"), after=after)
    with pytest.raises(errors.InvalidValueError):
        search(service, caller, Looking())
    with pytest.raises(errors.InvalidValueError):
        search(service, region.auditor, Looking(since=service.archive.clock()))
    assert search(service, region.auditor, Looking(patient=region.id("P1"))).hits
    assert search(service, caller, Looking(patient=region.id("P2"))).hits == ()
    assert search(service, caller, Looking(patient=region.id("A1"))).hits == ()


def test_at_the_ends_of_time(region: Region, hidden: str) -> None:
    service, caller = region.service, region.caller("B1")
    end, beginning = 253_402_300_799_999, -62_135_596_800_000
    everything = search(service, caller, Looking("secret"))
    assert search(service, caller, Looking("secret", since=beginning, until=end)) == everything  # type: ignore[arg-type]
    assert search(service, caller, Looking("secret", since=end)).hits == ()  # type: ignore[arg-type]
    assert search(service, caller, Looking("secret", until=beginning)).hits == ()  # type: ignore[arg-type]


def test_the_log_keeps_what_was_looked_for(region: Region, hidden: str) -> None:
    search(region.service, region.caller("B1"), Looking("secret \0 'words"))
    with region.service.archive.database.snapshot() as connection:
        line = list(lines(connection, Filter()))[-1]
    assert line.query == '{"words":"secret \\u0000 \'words"}'
    assert line.served
    assert line.outcome == "done"
