"""Fail when a part that must be tested completely is not.

Reads the JSON report of coverage.py and asks for every line and every branch of the parts in `COMPLETE`. The
floor for everything else is `fail_under` in `pyproject.toml`.

    python tools/coverage_floor.py build/coverage.json
"""

import json
import sys
from pathlib import Path
from typing import Any

# Where a mistake loses or alters a record. Each is a module or a package of carethread and must exist.
COMPLETE = ("record", "git", "store", "coordination", "policy", "directory", "access_log", "reads", "writes")


def part_of(path: str) -> str:
    """Name the part of carethread that a measured file belongs to."""
    parts = Path(path).parts
    return Path(parts[parts.index("carethread") + 1]).stem


def gaps(report: dict[str, Any]) -> dict[str, list[str]]:
    """Return, for each part, one line per file with what no test has run."""
    found: dict[str, list[str]] = {part: [] for part in COMPLETE}
    measured: set[str] = set()
    for path, file in sorted(report["files"].items()):
        part = part_of(path)
        measured.add(part)
        if part not in found or not (file["missing_lines"] or file["missing_branches"]):
            continue
        lines = ", ".join(map(str, file["missing_lines"]))
        branches = ", ".join(
            f"{start}→{end if end > 0 else 'exit'}"
            for start, end in file["missing_branches"]
            if start not in file["missing_lines"]
        )
        found[part].append(f"{path}: lines {lines or 'none'}; branches {branches or 'none'}")
    for part in COMPLETE:
        if part not in measured:
            found[part].append(f"{part}: was not measured at all")
    return found


def main(report_path: str) -> int:
    """Print the gaps; return the exit code."""
    report = json.loads(Path(report_path).read_text(encoding="utf-8"))
    if not report["meta"]["branch_coverage"]:
        print("the report has no branches: run coverage with branch = true")
        return 2
    found = gaps(report)
    for part, lines in found.items():
        print(f"{part}: {'complete' if not lines else f'{len(lines)} files short of 100 %'}")
        for line in lines:
            print(f"  {line}")
    return 1 if any(found.values()) else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
