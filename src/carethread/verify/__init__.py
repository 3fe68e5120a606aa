"""The independent checker: a record's whole history, judged by its bytes alone.

It imports the format, Git, identifiers, errors and the clock, and nothing that writes records: it derives everything
anew from what is stored.
"""

from carethread.verify.checker import Counts, verify_record
from carethread.verify.codes import MEANINGS, Code

__all__ = ["MEANINGS", "Code", "Counts", "verify_record"]
