"""A CommunicationRequest that is sent back: what it asks to have changed.

Status, recipients and other participants, policies and visibility can be changed. Everything else must be as it is.

What a body leaves out is removed, as PUT has it, with two exceptions. Labels in `meta.security` stay where there are
none. And a body that carries neither our policies, which are always served, nor our participants comes from a client
that does not keep extensions: it says nothing of what those hold.
"""

from collections.abc import Mapping

from msgspec import Struct

from carethread.fhir import types
from carethread.fhir.mapping import parts, terms
from carethread.fhir.mapping.drafts import Named, ThreadEdit
from carethread.fhir.mapping.parts import Names
from carethread.fhir.mapping.reading import Reading
from carethread.fhir.mapping.request import (
    STATUSES,
    Request,
    read_elements,
    recipients_of,
    refuse_other_sender,
    reply_to_of,
    requester_of,
)
from carethread.fhir.mapping.same import Who, same_files
from carethread.ids import ParticipantId
from carethread.record.model import Addressing, ThreadStatus
from carethread.record.projection import ThreadProjection

_AT = "CommunicationRequest"
_STAYS = "it is not what is recorded, and does not change once a thread is open"
_SEND_BACK = "Send it back as it was served; to say something else, post a message or open another thread."


class _Known(Struct, frozen=True):
    """Whom references mean. Whoever is served under a name is known by it, and by their id."""

    names: Names
    by_name: Mapping[str, ParticipantId]
    who: Who

    def id_of(self, named: Named) -> ParticipantId | None:
        kind, text = named.pair
        found = self.who.get(named.pair) or self.by_name.get(f"{kind}/{text}")
        if found is None and self.names.get(ParticipantId(text), "").startswith(f"{kind}/"):
            return ParticipantId(text)
        return found


def read_request_change(
    resource: types.CommunicationRequest,
    current: ThreadProjection,
    names: Names,
    *,
    who: Who | None = None,
    base: str = "",
    draft_opens: bool = False,
) -> ThreadEdit:
    """Return what a CommunicationRequest that is sent back asks to have changed.

    Args:
        resource: the resource, valid as R4.
        current: the thread as it stands.
        names: everybody in it, and the patient.
        who: whom the resource's references mean, as far as `names` does not say it: by identifier, for example.
        base: the address of this server; references below it are its own.
        draft_opens: whether status `draft` means an open thread.

    Raises:
        ResourceRefusedError: it changes what does not change, or says what the record will not hear.
    """
    reading = Reading(base)
    known = _Known(names, {text: each for each, text in names.items()}, who or {})
    status = _status(reading, resource, current, draft_opens=draft_opens)
    read = read_elements(reading, resource)
    silent = read.policies is None and not read.others
    _check_stays(reading, resource, read, current, known, silent=silent)
    edit = _people(read, current, known, silent=silent)
    shown = parts.security_code(current.ledger.visibility)
    visibility = read.visibility
    return reading.finished(
        ThreadEdit(
            version=None if resource.meta is None else resource.meta.version_id,
            status=status,
            add=edit.add,
            remove=edit.remove,
            recipients=edit.recipients,
            # What is restricted by the ledger's second word shows like the first, and stays when it is sent back.
            visibility=None if visibility is None or parts.security_code(visibility) == shown else visibility,
            policies=None if read.policies in (None, current.ledger.policies) else read.policies,
        )
    )


def addressing_of(edit: ThreadEdit, current: ThreadProjection, who: Who) -> Addressing | None:
    """Return the addressing that an edit asks for, `None` where that stays. `who` has everybody whom it adds."""
    before = current.ledger.addressing
    if edit.recipients is None or before is None:
        return None
    recipients = tuple(who[each.pair] if isinstance(each, Named) else each for each in edit.recipients)
    return Addressing(before.requester, recipients, before.reply_to)


# ── Status ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _status(
    reading: Reading, resource: types.CommunicationRequest, current: ThreadProjection, *, draft_opens: bool
) -> ThreadStatus | None:
    status, now = resource.status, current.ledger.status
    tagged = resource.meta is not None and any(
        each.system == terms.TAG and each.code == terms.ARCHIVED for each in resource.meta.tag
    )
    if tagged and now is not ThreadStatus.ARCHIVED and status != "revoked":
        reading.refuse(
            "business-rule", f"{_AT}.meta.tag", "a tag does not archive a thread", "Send it with status revoked."
        )
    if status in STATUSES and not (draft_opens and status == "draft"):
        reading.refuse("business-rule", f"{_AT}.status", *STATUSES[status])
        return None
    if status == "revoked":
        wanted = ThreadStatus.ARCHIVED
    elif status == "completed":
        # What is archived shows as completed, and stays archived.
        wanted = ThreadStatus.CLOSED if now is ThreadStatus.OPEN else now
    else:
        wanted = ThreadStatus.OPEN
    return None if wanted is now else wanted


# ── What stays ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _check_stays(
    reading: Reading,
    resource: types.CommunicationRequest,
    read: Request,
    current: ThreadProjection,
    known: _Known,
    *,
    silent: bool,
) -> None:
    requester, reply_to = requester_of(current), reply_to_of(current)
    continued = None if read.continues is None else read.continues.id
    text, files = (current.opening.body, current.opening) if current.opening is not None else ("", None)
    same_payload = read.text == text and (
        not read.attachments if files is None else same_files(read.attachments, files)
    )
    # The ids of the ledger are known to whoever could have been served the resource id.
    may_continue = (None,) if current.continues is None else (current.continues, current.ledger.continues)
    differs = {
        "id": resource.id not in (None, current.id, current.ledger.communication_id),
        "identifier": set(read.identifiers) != set(current.identifiers),
        "replaces": continued not in may_continue,
        "subject": resource.subject is None
        or (read.subject is not None and known.id_of(read.subject) != current.patient),
        "requester": (resource.requester is None) is not (requester is None)
        or (read.requester is not None and known.id_of(read.requester) != requester),
        "payload": not same_payload,
    }
    for element, different in differs.items():
        if different:
            reading.refuse("business-rule", f"{_AT}.{element}", _STAYS, _SEND_BACK)
    _check_reply_to(reading, read, known, requester, reply_to, silent=silent)


def _check_reply_to(
    reading: Reading,
    read: Request,
    known: _Known,
    requester: ParticipantId | None,
    reply_to: ParticipantId | None,
    *,
    silent: bool,
) -> None:
    sender = None if read.sender is None else known.id_of(read.sender)
    if read.team is not None:
        if known.id_of(read.team) != reply_to:
            reading.refuse("business-rule", read.team.expression, _STAYS, _SEND_BACK)
        if read.sender is not None and sender != requester:
            refuse_other_sender(reading, read.sender.expression)
        return
    team = reply_to is not None and known.names[reply_to].startswith("CareTeam/")
    kept = (team and silent) or reply_to is None
    same = (read.sender is None or sender == requester) if kept else (read.sender is not None and sender == reply_to)
    if not same:
        reading.refuse("business-rule", f"{_AT}.sender", _STAYS, _SEND_BACK)


# ── Who takes part ────────────────────────────────────────────────────────────────────────────────────────────────────


def _people(read: Request, current: ThreadProjection, known: _Known, *, silent: bool) -> ThreadEdit:
    before = [each.id for each in current.ledger.participants]
    recipients = recipients_of(current)
    fixed = {requester_of(current), reply_to_of(current)}
    asked = [known.id_of(each) for each in read.recipients]
    stay = {*fixed, *asked, *(known.id_of(each) for each in read.others)}
    if silent:
        stay.update(each for each in before if each not in recipients)
    added: dict[tuple[str, str], Named] = {}
    for each in (*read.recipients, *read.others):
        if known.id_of(each) not in before:
            added.setdefault(each.pair, each)
    now: list[ParticipantId | Named] = [each for each in recipients if each in asked]
    for named, found in zip(read.recipients, asked, strict=True):
        if found is None or found not in before:
            now.append(named)
        elif found not in now:
            now.append(found)
    return ThreadEdit(
        add=tuple(added.values()),
        remove=tuple(each for each in before if each not in stay),
        recipients=None if current.ledger.addressing is None or tuple(now) == recipients else tuple(now),
    )
