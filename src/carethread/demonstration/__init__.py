"""An invented region to try Carethread in: people who work together, six patients, months of conversations.

`make` records it in a new data directory. Everything goes through `writes` and `reads`, as whoever does it; relative to
a given time it is the same region each time. Nobody and nothing in it is real.
"""

from carethread.demonstration.cast import Cast, Part, cast
from carethread.demonstration.making import DOMAIN, NAME, make
from carethread.demonstration.playing import CLIENT, build
from carethread.demonstration.region import Region, kept
from carethread.demonstration.stage import Stage

__all__ = ["CLIENT", "DOMAIN", "NAME", "Cast", "Part", "Region", "Stage", "build", "cast", "kept", "make"]
