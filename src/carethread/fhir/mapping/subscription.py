"""Subscriptions, both ways. What its receiver is sent as headers goes in and never comes out."""

from collections.abc import Mapping

from msgspec import Struct

from carethread.clock import Instant, format_instant
from carethread.fhir import types
from carethread.fhir.mapping import parts
from carethread.fhir.mapping.reading import Reading
from carethread.fhir.types.codes import SubscriptionStatus
from carethread.policy.subscriptions import Status, Subscription

_STATUS: Mapping[Status, SubscriptionStatus] = {
    Status.REQUESTED: "requested",
    Status.ACTIVE: "active",
    Status.ERROR: "error",
    Status.OFF: "off",
}
_KEPT = ("id", "meta", "text", "status", "end", "reason", "criteria", "error", "channel")
_REASONS = {
    "contact": ("nobody is called about a subscription", "Leave it out, and read its status from time to time."),
}
_OF_CHANNEL = {
    "payload": (
        "no content leaves by itself, to wherever an endpoint may be",
        "Leave it out, and read what is new once you were notified.",
    ),
}


class SubscriptionDraft(Struct, frozen=True):
    """A subscription as a client wants it: criteria, endpoint and headers still to be looked at.

    `version` is the one its `meta` names, if it does.
    """

    id: str | None
    version: str | None
    status: Status
    criteria: str
    endpoint: str
    headers: tuple[str, ...]
    reason: str
    end: Instant | None


def read_subscription(resource: types.Subscription) -> SubscriptionDraft:
    """Return what a resource asks for. What the server says of it, such as `error`, is taken and replaced.

    Raises:
        ResourceRefusedError: it asks for what there is not.
    """
    reading = Reading()
    at = "Subscription"
    reading.only(resource, at, _KEPT, _REASONS)
    reading.visibility(resource.meta, f"{at}.meta")
    channel = resource.channel
    reading.only(channel, f"{at}.channel", ("type", "endpoint", "header"), _OF_CHANNEL)
    if channel.type != "rest-hook":
        reading.refuse(
            "not-supported",
            f"{at}.channel.type",
            "notifications are sent by rest-hook alone",
            "Say rest-hook, and an endpoint that takes an empty POST.",
        )
    if channel.endpoint is None:
        reading.refuse("required", f"{at}.channel.endpoint", "nobody can be notified without it", "Give an https URL.")
    status = Status(resource.status)
    if status is Status.ERROR:
        reading.refuse(
            "business-rule",
            f"{at}.status",
            "that it is in error is the server's to say",
            "Say requested, to go on where it stopped; or off.",
        )
    draft = SubscriptionDraft(
        id=resource.id,
        version=None if resource.meta is None else resource.meta.version_id,
        status=status,
        criteria=resource.criteria,
        endpoint=channel.endpoint or "",
        headers=tuple(each for each in channel.header if each is not None),
        reason=resource.reason,
        end=reading.instant(resource.end, f"{at}.end"),
    )
    return reading.finished(draft)


def subscription(found: Subscription) -> types.Subscription:
    """Return a subscription as a resource."""
    return types.Subscription(
        id=found.id,
        meta=parts.meta(found.version, found.updated, None, None),
        status=_STATUS[found.status],
        end=None if found.end is None else format_instant(found.end),
        reason=found.reason,
        criteria=found.criteria,
        error=found.error or None,
        channel=types.SubscriptionChannel(type="rest-hook", endpoint=found.endpoint),
    )
