"""`carethread token`: bearer tokens for the FHIR interface, signed by the installation's own key."""

from typing import Annotated

import msgspec
import typer

from carethread import CoordinationService
from carethread.cli import library, options, output
from carethread.cli.application import new_noun
from carethread.cli.directory import ByOption, who_records
from carethread.cli.people import PEOPLE, Kinds, find_entry
from carethread.cli.token_documents import PublicKeyDocument, RevokedTokenDocument, TokenDocument, TokenKeyDocument
from carethread.clock import Instant, format_instant, system_clock
from carethread.directory.model import Patient
from carethread.errors import InvalidValueError
from carethread.fhir.claims import MAX_CLIENT
from carethread.fhir.issuers import LONGEST_S, read_duration
from carethread.fhir.local_key import Granted, issuer_name, load_key, mint
from carethread.fhir.scopes import Context, Scopes
from carethread.ids import ParticipantId
from carethread.record.text import check_name

DEFAULT_CLIENT = "carethread-token"
_DESCRIPTION = """Make a bearer token for the FHIR interface, for a person or for a system.

It is printed, and kept nowhere: whoever has it is who it names, as far as its scopes go, until it ends. --json also
gives the id by which it is revoked. The key that signs it is made with the first one.

Examples:
  carethread token --as Practitioner/A1 --scope user/Communication.crs --scope "user/*.rs"
  carethread token --client hub --scope system/Communication.rs --for 7d
"""

app = new_noun(_DESCRIPTION)


@app.callback(invoke_without_command=True)
def token(
    context: typer.Context,
    *,
    # Not from the environment: a token is given to somebody on purpose.
    as_person: Annotated[
        str | None, typer.Option("--as", metavar="PERSON", help="The person it names: a UUID, Practitioner/A1 or A1.")
    ] = None,
    client: Annotated[
        str | None, typer.Option("--client", metavar="NAME", help="The program it is for. Alone: a system's own token.")
    ] = None,
    scope: Annotated[
        list[str] | None,
        typer.Option("--scope", metavar="SCOPE", help="What it grants, such as user/Communication.crs. Repeatable."),
    ] = None,
    patient: Annotated[
        str | None, typer.Option("--patient", metavar="PATIENT", help="The one patient whom patient/ scopes are about.")
    ] = None,
    lasts: Annotated[
        str, typer.Option("--for", metavar="TIME", help="How long: 90s, 30m, 1h, 7d; 90d at most.")
    ] = "1h",
    data: options.DataOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """Make a token, if no verb follows."""
    if context.invoked_subcommand is not None:
        return
    seconds = read_duration(lasts)
    if seconds is None or seconds > LONGEST_S:
        raise InvalidValueError("for", "is no time such as 90s, 30m, 1h or 7d, or more than 90d")
    if as_person is None and client is None:
        raise InvalidValueError("as", "is missing: give a person with --as, or a system with --client")
    with library.opened(data) as service:
        custodian = _custodian(service)
        granted = Granted(
            _checked(scope or [], is_person=as_person is not None, is_bound=patient is not None),
            seconds,
            "" if as_person is None else _reference(service, as_person, PEOPLE, "as"),
            _checked_client(client or DEFAULT_CLIENT),
            "" if patient is None else _reference(service, patient, (Patient,), "patient"),
        )
        minted = mint(load_key(library.read_settings(data).data_directory()), custodian, granted, system_clock())
    if as_json:
        output.answer(TokenDocument(minted.text, minted.id, format_instant(minted.expires)))
    else:
        output.say(minted.text)


@app.command("key")
def key(
    *,
    replace: Annotated[
        bool, typer.Option("--replace", help="Make another key. Every token signed with the old one ends at once.")
    ] = False,
    data: options.DataOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """Show the key that signs the installation's own tokens; make it if there is none.

    Examples:
      carethread token key
      carethread token key --replace
    """
    with library.opened(data) as service:
        issuer = issuer_name(_custodian(service))
        found = load_key(library.read_settings(data).data_directory(), replace=replace)
    keys = msgspec.convert(found.public_set()["keys"], tuple[PublicKeyDocument, ...])
    if as_json:
        output.answer(TokenKeyDocument(issuer, found.id, keys))
    else:
        output.pairs((("Issuer", issuer), ("Key", found.id)))


@app.command("revoke")
def revoke(
    identifier: Annotated[str, typer.Argument(metavar="ID", help="Its jti, or what --json gave as its id.")],
    *,
    by: ByOption = None,
    data: options.DataOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """Have a token count no more, from the next request on, whoever signed it.

    Example:
      carethread token revoke 3f7a8d2c-1e9b-4a6d-9f2e-5c8b7a4d1f92
    """
    who = who_records(by)
    # When it ends is not known from its id; no token lasts longer than that.
    end = Instant(system_clock() + LONGEST_S * 1000)
    with library.opened(data) as service:
        changed = service.clients.revoke_token(identifier, end, by=who)
    if as_json:
        output.answer(RevokedTokenDocument(identifier, changed))
    else:
        output.say("It counts no more." if changed else "It counts no more, as before.")


def _custodian(service: CoordinationService) -> ParticipantId:
    return service.archive.installation.custodian.id


def _reference(service: CoordinationService, named: str, kinds: Kinds, field: str) -> str:
    entry = find_entry(service, named, kinds, field)
    return f"{entry.__struct_config__.tag}/{entry.fhir_id}"


def _checked_client(client: str) -> str:
    if len(client) > MAX_CLIENT:
        raise InvalidValueError("client", f"is longer than {MAX_CLIENT} characters")
    return check_name(client, "client")


def _checked(scopes: list[str], *, is_person: bool, is_bound: bool) -> str:
    """Return the scopes in one text, if each of them grants something in such a token."""
    contexts = {Context.USER} if is_person else {Context.SYSTEM}
    if is_person and is_bound:
        contexts.add(Context.PATIENT)
    words = " or ".join(f"{each}/" for each in Context if each in contexts)
    if not scopes:
        raise InvalidValueError("scope", f"is missing: it begins with {words}, such as {min(contexts)}/*.rs")
    for each in scopes:
        if " " in each or not Scopes.parse(each, frozenset(contexts)).grants:
            raise InvalidValueError("scope", f"{each!r} grants nothing in this token: one begins with {words}")
    return " ".join(scopes)
