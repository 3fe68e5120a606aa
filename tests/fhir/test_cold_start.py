"""Several at once are the first to ask: what is made for the first of them is not used half made."""

import subprocess
import sys

_SCRIPT = """
import json, sys, threading
from carethread.fhir.validation import parse
sys.setswitchinterval(1e-6)
message = {"resourceType": "Communication", "status": "completed", "payload": [{"contentString": "Why?"}]}
thread = {"resourceType": "CommunicationRequest", "status": "active"}
start = threading.Barrier(16)
def ask(number):
    resource = message if number % 2 else thread
    start.wait()
    for _ in range(20):
        parse(json.dumps(resource).encode(), types=frozenset({resource["resourceType"]}))
asking = [threading.Thread(target=ask, args=(number,)) for number in range(16)]
for each in asking:
    each.start()
for each in asking:
    each.join()
"""


def test_a_new_process_is_asked_by_many_at_once() -> None:
    done = subprocess.run([sys.executable, "-c", _SCRIPT], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
