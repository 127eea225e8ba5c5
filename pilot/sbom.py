"""The software bill of materials: what requirements.lock pins, as CycloneDX 1.6 says such a list. No Django in here.

Versions and hashes come from the lock, licences and dependencies from what is installed.
"""

from __future__ import annotations

import re
import tomllib
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from importlib import metadata
from pathlib import Path
from typing import Any, Final

from packaging.requirements import Requirement

ROOT: Final = Path(__file__).resolve().parent.parent
SPEC: Final = "1.6"
_PIN: Final = re.compile(
    r"^(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)(\[[^\]]*\])?==(?P<version>[^\s;\\]+)( ; (?P<marker>[^\\]+?))? *\\?$"
)
_HASH: Final = re.compile(r"^ +--hash=sha256:([0-9a-f]{64})")
# Packages that state no expression often have one all the same, as their licence's name.
_IDS: Final = r"(MIT|Apache-2\.0|BSD-[23]-Clause|MPL-2\.0|PSF-2\.0)"
_EXPRESSION: Final = re.compile(rf"{_IDS}( (AND|OR) {_IDS})*").fullmatch
# Names of PyPI's classifiers as SPDX has them; where there are several, any of them may be chosen.
_SPDX: Final = {
    "MIT License": "MIT",
    "Apache Software License": "Apache-2.0",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
    "SIL Open Font License 1.1 (OFL-1.1)": "OFL-1.1",
}


@dataclass(frozen=True, slots=True)
class Pin:
    """One package of the lock: its name in normal form, its version, and the digests of the files that may serve."""

    name: str
    version: str
    marker: str
    hashes: tuple[str, ...]

    @property
    def purl(self) -> str:
        return f"pkg:pypi/{self.name}@{self.version}"


def normal(name: str) -> str:
    """A package's name in normal form (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(lock: str) -> list[Pin]:
    """The packages of a lock file, in its order. Raises ValueError for a line it does not understand."""
    found: list[tuple[re.Match[str], list[str]]] = []
    for line in lock.splitlines():
        if pin := _PIN.match(line):
            found.append((pin, []))
        elif hashed := _HASH.match(line):
            found[-1][1].append(hashed[1])
        elif line.strip() and not line.lstrip().startswith("#"):
            raise ValueError(f"requirements.lock: {line!r}")
    return [Pin(normal(m["name"]), m["version"], (m["marker"] or "").strip(), tuple(h)) for m, h in found]


class Inventory:
    """The pins beside what is installed."""

    def __init__(self, root: Path = ROOT) -> None:
        self.lock = (root / "requirements.lock").read_bytes()
        self.pins = pins(self.lock.decode())
        self._pyproject = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))
        self.installed = {normal(found.name): found for found in metadata.distributions()}

    @cached_property
    def project(self) -> dict[str, Any]:
        """What pyproject.toml says of the portal."""
        project: dict[str, Any] = self._pyproject["project"]
        return project

    @cached_property
    def depends(self) -> dict[str, list[str]]:
        """Package → what it needs here, with the extras that the portal, or another package, asks it for."""
        everything = [
            *self.project["dependencies"],
            *(text for group in self._pyproject["dependency-groups"].values() for text in group),
        ]
        known = {pin.name for pin in self.pins}
        return {name: sorted(needs & known) for name, needs in self._reached(everything).items()}

    @cached_property
    def needed(self) -> set[str]:
        """What the running portal needs; the rest tests and checks it."""
        return set(self._reached(self.project["dependencies"]))

    @cached_property
    def used(self) -> list[str]:
        """What the portal itself names."""
        return sorted({normal(Requirement(text).name) for text in self.project["dependencies"]})

    def _reached(self, texts: Iterable[str]) -> dict[str, set[str]]:
        """Every package that these requirements lead to, with what it needs in turn."""
        found: dict[str, set[str]] = {}
        done: set[tuple[str, str]] = set()
        waiting = [each for text in texts for each in _wanted(text, "")]
        while waiting:
            name, extra = waiting.pop()
            if (name, extra) in done or name not in self.installed:
                continue
            done.add((name, extra))
            needs = [each for text in self.installed[name].requires or () for each in _wanted(text, extra)]
            found.setdefault(name, set()).update(need for need, _extra in needs)
            waiting.extend(needs)
        return found

    def licences(self, name: str) -> list[dict[str, Any]]:
        """The licences of a package as CycloneDX lists them; empty where it is not installed or says none."""
        found = self.installed.get(name)
        return _licences(found.metadata) if found else []


def _wanted(text: str, extra: str) -> list[tuple[str, str]]:
    """The package that a requirement names, plain and with each extra; nothing where it does not hold here."""
    wanted = Requirement(text)
    if wanted.marker is not None and not wanted.marker.evaluate({"extra": extra}):
        return []
    return [(normal(wanted.name), asked) for asked in ("", *sorted(wanted.extras))]


def _licences(about: Any) -> list[dict[str, Any]]:
    said = (about.get("License") or "").strip()
    expression = about.get("License-Expression") or (said if _EXPRESSION(said) else "")
    if expression:
        return [{"expression": expression}]
    classifiers = [
        text.split(" :: ")[-1] for text in about.get_all("Classifier") or () if "License ::" in text
    ]
    names = [name for name in classifiers if "Licen" in name or "(" in name] or said.splitlines()[:1]
    return [
        {"license": {"id": _SPDX[name]} if name in _SPDX else {"name": name}} for name in dict.fromkeys(names)
    ]


def document(inventory: Inventory, *, made_at: str) -> dict[str, Any]:
    """The list as CycloneDX JSON; ``made_at`` is a time in ISO 8601. The same lock has the same serial number."""
    portal = f"{inventory.project['name']}@{inventory.project['version']}"
    purls = {pin.name: pin.purl for pin in inventory.pins}
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": SPEC,
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, sha256(inventory.lock).hexdigest())}",
        "version": 1,
        "metadata": {
            "timestamp": made_at,
            "tools": {"components": [{"type": "application", "name": "manage.py sbom"}]},
            "component": {
                "type": "application",
                "bom-ref": portal,
                "name": inventory.project["name"],
                "version": inventory.project["version"],
                "description": inventory.project["description"],
            },
        },
        "components": [_component(pin, inventory) for pin in inventory.pins],
        "dependencies": [
            {"ref": portal, "dependsOn": [purls[name] for name in inventory.used]},
            *(
                {
                    "ref": pin.purl,
                    "dependsOn": [
                        purls[name] for name in inventory.depends.get(pin.name, ()) if name in purls
                    ],
                }
                for pin in inventory.pins
            ),
        ],
    }


def _component(pin: Pin, inventory: Inventory) -> dict[str, Any]:
    found = {
        "type": "library",
        "bom-ref": pin.purl,
        "name": pin.name,
        "version": pin.version,
        "scope": "required" if pin.name in inventory.needed else "excluded",
        "hashes": [{"alg": "SHA-256", "content": digest} for digest in pin.hashes],
        "licenses": inventory.licences(pin.name),
        "purl": pin.purl,
        "properties": [{"name": "marker", "value": pin.marker}] if pin.marker else [],
    }
    return {name: value for name, value in found.items() if value}
