"""What persons chose, each a row; who chose nothing has none."""

from msgspec.structs import asdict
from sqlalchemy import bindparam, select, text

from carethread.ids import ParticipantId
from carethread.policy.preferences import Preferences
from carethread.store.database import Connection
from carethread.store.journal import Effect
from carethread.store.keys import key_of
from carethread.store.schema import preference

_FIELDS = Preferences.__struct_fields__
_find = select(*(preference.c[each] for each in _FIELDS)).where(preference.c.person_id == bindparam("person"))
_keep = text(
    f"INSERT INTO preference (person_id, {', '.join(_FIELDS)}) VALUES (:person, :{', :'.join(_FIELDS)}) "  # noqa: S608 - names of columns
    f"ON CONFLICT (person_id) DO UPDATE SET {', '.join(f'{each} = excluded.{each}' for each in _FIELDS)}"
)


def of_person(connection: Connection, person: ParticipantId) -> Preferences:
    """Return what a person chose, or nothing chosen."""
    row = connection.one(_find, person=key_of(person))
    return Preferences() if row is None else Preferences(*row)


def kept(person: ParticipantId, preferences: Preferences) -> Effect:
    """Return the row that keeps what a person chose, instead of what they chose before."""
    return Effect(_keep, {"person": key_of(person), **asdict(preferences)})
