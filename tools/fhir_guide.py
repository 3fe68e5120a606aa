"""Compile the implementation guide in `ig/` with SUSHI, without a network.

    python tools/fhir_guide.py [folder to write into]

SUSHI wants FHIR's definitions as a package in the home directory. So a home is made in `build/`, with a package
`hl7.fhir.r4.core#4.0.1` put together from the definitions that `make definitions` installed.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from tools.fhir_definitions import DEFINITIONS, ROOT

GUIDE = ROOT / "ig"
OUT = ROOT / "build" / "guide"
SUSHI = ROOT / "build" / "definitions" / "node_modules" / "fsh-sushi" / "dist" / "app.js"
_CORE = "hl7.fhir.r4.core"
_VERSION = "4.0.1"
_FILES = (
    "profiles-resources", "profiles-types", "profiles-others", "extension-definitions", "valuesets", "v3-codesystems",
    "v2-tables", "search-parameters", "conceptmaps",
)  # fmt: skip
# SUSHI looks for these by itself and works without them; it says so each time.
_MISSED = ("hl7.fhir.uv.tools", "hl7.terminology", "hl7.fhir.uv.extensions")


def make_package(home: Path) -> None:
    """Put the package of R4's definitions into a home directory, unless it is there."""
    package = home / ".fhir" / "packages" / f"{_CORE}#{_VERSION}" / "package"
    if (package / "package.json").exists():
        return
    package.mkdir(parents=True, exist_ok=True)
    listed = []
    for name in _FILES:
        for entry in json.loads((DEFINITIONS / f"{name}.json").read_text(encoding="utf-8"))["entry"]:
            resource: dict[str, Any] = entry["resource"]
            file = f"{resource['resourceType']}-{resource['id']}.json"
            (package / file).write_text(json.dumps(resource), encoding="utf-8")
            known = {key: resource.get(key) for key in ("resourceType", "id", "url", "version", "kind", "type")}
            listed.append({"filename": file, **known})
    (package / ".index.json").write_text(json.dumps({"index-version": 1, "files": listed}), encoding="utf-8")
    described = {
        "name": _CORE,
        "version": _VERSION,
        "type": "fhir.core",
        "canonical": "http://hl7.org/fhir",
        "fhirVersions": [_VERSION],
    }
    # Last: only then is the package whole.
    (package / "package.json").write_text(json.dumps(described), encoding="utf-8")


def compile_guide(out: Path = OUT) -> list[dict[str, Any]]:
    """Compile the guide; return its resources, in the order of their files.

    Raises:
        RuntimeError: SUSHI found an error, or a warning that it does not always have; with its words.
    """
    home = OUT.parent / "guide-home"
    make_package(home)
    shutil.rmtree(out, ignore_errors=True)
    shutil.copytree(GUIDE, out)
    command = ["node", str(SUSHI), "build", str(out), "--snapshot"]
    environment = {**os.environ, "HOME": str(home), "USERPROFILE": str(home)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=300)
    complaints = [
        line
        for line in done.stdout.splitlines() + done.stderr.splitlines()
        if line.startswith(("warn", "error")) and not any(each in line for each in _MISSED)
    ]
    if done.returncode or complaints:
        raise RuntimeError("\n".join(complaints) or done.stdout + done.stderr)
    files = sorted((out / "fsh-generated" / "resources").glob("*.json"))
    return [json.loads(each.read_text(encoding="utf-8")) for each in files]


if __name__ == "__main__":
    for compiled in compile_guide(*map(Path, sys.argv[1:2])):
        print(f"{compiled['resourceType']}/{compiled['id']}")
