"""Files: uploaded to go with a message, and read under the rule of the thread they stand in."""

import base64
from urllib.parse import quote

import msgspec

from carethread.errors import UnknownUploadError
from carethread.fhir.answers import Answer
from carethread.fhir.bounds import bound_to, patient_of_token
from carethread.fhir.call import Call
from carethread.fhir.mapping.payload import default_name, parse_binary_id
from carethread.fhir.outcome import Issue, RefusedError
from carethread.fhir.queries import bad
from carethread.fhir.shape import FORMATS
from carethread.fhir.types import Binary
from carethread.fhir.validation import parse
from carethread.ids import MessageId
from carethread.reads import message_resource, own_upload, read_attachment
from carethread.record.model import AttachmentContent
from carethread.writes import keep_upload

_TYPES = frozenset({"Binary"})


def create(call: Call) -> Answer:
    """Keep a file for a day: as it is, or in a Binary."""
    bound_to(call, "create")
    file = _sent(call)
    made = keep_upload(call.service, call.caller, file)
    return Answer(
        status=201,
        body=_resource(made, file),
        headers={"Location": f"{call.base}/Binary/{made}", "ETag": 'W/"1"'},
    )


def _sent(call: Call) -> AttachmentContent:
    media_type = call.asked.media_type
    if media_type not in FORMATS:
        if not media_type:
            raise RefusedError(415, Issue(code="not-supported", text="say in Content-Type what the file is"))
        return AttachmentContent(call.asked.body, media_type, default_name(media_type, 1))
    resource = parse(call.asked.body, types=_TYPES)
    assert isinstance(resource, Binary)  # noqa: S101 - the only type that was asked for
    if resource.data is None:
        raise bad("required", "holds no data", "Binary.data")
    if resource.security_context is not None:
        raise RefusedError(
            422,
            Issue(
                code="business-rule",
                text="who may read a file follows from the thread of its message",
                expression=("Binary.securityContext",),
                instead="Leave it out.",
            ),
        )
    media_type = resource.content_type.partition(";")[0].strip().lower()
    return AttachmentContent(base64.b64decode(resource.data), media_type, default_name(media_type, 1))


def read(call: Call) -> Answer:
    """Answer a file: as it is, for whoever does not ask for a resource."""
    bound = bound_to(call, "read")
    recorded = parse_binary_id(call.route.id)
    if recorded is None:
        file = own_upload(call.service, call.caller, call.route.id)
    else:
        _check_within(call, bound, recorded[0])
        attachment, data = read_attachment(call.service, call.caller, *recorded)
        file = AttachmentContent(data, attachment.media_type, attachment.file_name)
    if _wants_resource(call):
        return Answer(body=_resource(call.route.id, file), pretty=call.shape.pretty)
    name = quote(file.file_name, safe="")
    return Answer(
        body=file.data,
        media_type=file.media_type,
        headers={"Content-Disposition": f"attachment; filename*=UTF-8''{name}", "ETag": 'W/"1"'},
    )


def _check_within(call: Call, bound: str | None, message_id: MessageId) -> None:
    if bound is None:
        return
    projection, _ = message_resource(call.service, call.caller, message_id)
    if projection.patient != patient_of_token(call, bound):
        raise UnknownUploadError("there is no such file")


def _wants_resource(call: Call) -> bool:
    accepted = call.asked.header("accept").partition(",")[0].partition(";")[0].strip().lower()
    return accepted in FORMATS or b"_format" in call.asked.query


def _resource(binary_id: str, file: AttachmentContent) -> bytes:
    return msgspec.json.encode(
        {
            "resourceType": "Binary",
            "id": binary_id,
            "contentType": file.media_type,
            "data": base64.b64encode(file.data).decode(),
        }
    )
