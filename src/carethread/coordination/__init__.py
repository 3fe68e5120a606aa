"""The library's core: records of coordination, their threads and messages.

`CoordinationService` applies the record's rules and trusts its caller on who acts; whether somebody may is decided
above it. Every call that records something returns when that is durable, and records nothing when it raises.
"""

from carethread.coordination.record import CoordinationRecord
from carethread.coordination.service import CoordinationService

__all__ = ["CoordinationRecord", "CoordinationService"]
