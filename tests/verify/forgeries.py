"""All kinds of tampering that Git itself takes without a word.

Long because it is a table: one row for each way to tamper with a record.
"""

from tests.verify import forged_commits, forged_ledgers, forged_messages, forged_names
from tests.verify.forgery import FORGERIES, Forgery

__all__ = ["FORGERIES", "Forgery", "forged_commits", "forged_ledgers", "forged_messages", "forged_names"]
