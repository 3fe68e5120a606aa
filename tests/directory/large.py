"""Prints a large Bundle: `python -m tests.directory.large ORGANISATIONS PRACTITIONERS`, each with one role."""

import random
import sys

from tests.directory.resources import HL7, bundle, code, identifier, organization, practitioner, role

_FIRST = ("Ann", "Bo", "Carla", "Dirk", "Els", "Fatima", "George", "Hanna", "Ivo", "Jane")
_LAST = ("Bakker", "de Vries", "Smith", "van den Berg", "Patel", "Jansen", "O'Neill", "Visser", "Taylor", "Smit")


def large(organisations: int, practitioners: int) -> bytes:
    """Return a Bundle of that many organisations and practitioners."""
    source = random.Random(1)
    groups = [
        organization(
            f"o{number}", name=f"Practice {source.choice(_LAST)} {number}", identifier=[identifier(f"o{number}")]
        )
        for number in range(organisations)
    ]
    people = [
        practitioner(
            f"p{number}",
            f"Dr {source.choice(_FIRST)} {source.choice(_LAST)} {number}",
            identifier=[identifier(f"p{number}")],
        )
        for number in range(practitioners)
    ]
    roles = [
        role(f"r{number}", f"p{number}", f"o{source.randrange(organisations)}", code=[code(HL7, "doctor")])
        for number in range(practitioners)
    ]
    return bundle(*groups, *people, *roles)


if __name__ == "__main__":
    sys.stdout.buffer.write(large(int(sys.argv[1]), int(sys.argv[2])))
