"""Fuzz one property test, guided by the branches of carethread that each input reaches.

    python tools/fuzz.py tests/record/test_thread_md.py::test_name [libFuzzer options]

Runs for `SECONDS` unless told otherwise (`-max_total_time=3600`). What it finds goes into hypothesis' example
database, so that running the test with pytest repeats it, made as small as it gets.
"""

import importlib
import sys
from pathlib import Path

import atheris

SECONDS = 300


def main(test: str, *options: str) -> None:
    """Import the test with carethread instrumented, and feed it until it fails or time is up."""
    root = Path(__file__).resolve().parent.parent
    sys.path.insert(0, str(root))
    path, name = test.split("::")
    with atheris.instrument_imports(include=["carethread", "tests"]):
        module = importlib.import_module(".".join(Path(path).with_suffix("").parts))
    feed = getattr(module, name).hypothesis.fuzz_one_input

    def one_input(data: bytes) -> None:
        feed(data)

    artifacts = root / "build"
    artifacts.mkdir(exist_ok=True)
    defaults = (f"-max_total_time={SECONDS}", f"-artifact_prefix={artifacts}/")
    atheris.Setup([sys.argv[0], *defaults, *options], one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:])
