"""What an independent CommonMark parser shows of a `thread.md`: markdown-it-py, plain and with GitHub's extensions."""

from collections.abc import Iterator

from markdown_it import MarkdownIt
from markdown_it.token import Token
from msgspec import Struct

from carethread.record.model import Message

COMMONMARK = MarkdownIt("commonmark")
EXTENDED = MarkdownIt("commonmark").enable(["table", "strikethrough"])
ORACLES = (COMMONMARK, EXTENDED)


class Shown(Struct):
    """One entry as a reader sees it, without spaces."""

    header: list[str]
    body: str = ""


def without_spaces(text: str) -> str:
    return "".join(text.split())


def shown(oracle: MarkdownIt, document: str) -> list[Shown]:
    """Return what each entry shows.

    Fails on anything but a first-level heading, then per entry a second-level heading, a paragraph of header lines,
    paragraphs without any markup and indented code, and a rule between entries.
    """
    tokens = iter(oracle.parse(document))
    assert _inline(tokens, "heading", "h1") == "Messages"
    entries: list[Shown] = []
    rule_before = True
    for token in tokens:
        if token.type == "heading_open":
            assert token.tag == "h2"
            assert rule_before, "entries without a rule between them"
            assert _plain_text(next(tokens)) == "Message"
            next(tokens)
            assert next(tokens).type == "paragraph_open"
            entries.append(Shown(_header_lines(next(tokens))))
            next(tokens)
        elif token.type == "paragraph_open":
            entries[-1].body += without_spaces(_plain_text(next(tokens)))
            next(tokens)
        elif token.type == "code_block":
            entries[-1].body += without_spaces(token.content)
        else:
            assert token.type == "hr", f"{token.type} in a body"
        rule_before = token.type == "hr"
    return entries


def expected(message: Message) -> Shown:
    """Return what a message should show."""
    lines = [
        f"ID: {message.id}",
        f"Type: {message.type}",
        "Timestamp:",
        f"Author ID: {message.author_id}",
        f"Author: {message.author_name}",
    ]
    if message.author_role is not None:
        lines.append(f"Author role: {message.author_role}")
    if message.on_behalf_of is not None:
        lines.append(f"On behalf of: {message.on_behalf_of.id} {message.on_behalf_of.name}")
    lines += [f"To: {party.id} {party.name}" for party in message.to]
    if message.in_response_to is not None:
        lines.append(f"In response to: {message.in_response_to}")
    if message.corrects is not None:
        lines.append(f"Corrects: {message.corrects}")
    if message.sent is not None:
        lines.append("Sent:")
    if message.via is not None:
        lines.append(f"Via: {message.via.id} {message.via.name}")
    lines += [
        f"Attachment: {file.sha256} {file.media_type}, {file.size} bytes, {file.file_name}"
        for file in message.attachments
    ]
    return Shown([without_spaces(line) for line in lines], without_spaces(message.body))


def assert_shows(oracle: MarkdownIt, document: str, messages: list[Message]) -> None:
    """Assert that a document shows these messages and nothing else."""
    entries = shown(oracle, document)
    assert len(entries) == len(messages)
    for entry, message in zip(entries, messages, strict=True):
        wanted = expected(message)
        # Instants are fixed in form; that they are there is enough here.
        header = [
            line.partition(":")[0] + ":" if line.startswith(("Timestamp:", "Sent:")) else line for line in entry.header
        ]
        assert header == wanted.header
        assert entry.body == wanted.body


def _inline(tokens: Iterator[Token], kind: str, tag: str) -> str:
    opening = next(tokens)
    assert opening.type == f"{kind}_open"
    assert opening.tag == tag
    text = _plain_text(next(tokens))
    next(tokens)
    return text


def _plain_text(inline: Token) -> str:
    """Return the text of an inline token that holds nothing but text and line ends."""
    text = ""
    for child in inline.children or ():
        assert child.type in ("text", "softbreak"), f"{child.type} in plain text"
        text += child.content if child.type == "text" else "\n"
    return text


def _header_lines(inline: Token) -> list[str]:
    """Return the lines of a header paragraph; bold is its labels, code its ids, links its attachments."""
    lines = [""]
    strong = link = False
    for child in inline.children or ():
        match child.type:
            case "hardbreak":
                assert not strong
                assert not link
                lines.append("")
            case "strong_open":
                assert lines[-1] == ""
                strong = True
            case "strong_close":
                assert lines[-1].endswith(":")
                strong = False
            case "code_inline":
                assert without_spaces(lines[-1]).endswith(":"), "code that is no id"
                lines[-1] += child.content
            case "link_open":
                assert lines[-1].startswith("Attachment:")
                assert str(child.attrs["href"]).startswith("attachments/")
                link = True
            case "link_close":
                link = False
            case "text":
                lines[-1] += child.content
            case other:
                raise AssertionError(f"{other} in a header")
    return [without_spaces(line) for line in lines]
