"""What the portal is made of: the list of it, that it is what is installed, and Django's notices held against it."""

from __future__ import annotations

import io
import json
import re
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError
from packaging.markers import Marker
from packaging.version import Version

from pilot import sbom

ROOT = Path(__file__).resolve().parents[2]
NOTICES = (ROOT / "docs" / "security" / "django.md").read_text(encoding="utf-8")
# The members of CycloneDX 1.6 that the list uses, with the form of their values.
DIGEST, PURL = r"[0-9a-f]{64}", r"pkg:pypi/[a-z0-9-]+@[0-9a-z.!+]+"
URN = r"urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
COMPONENT = {"type", "bom-ref", "name", "version", "scope", "hashes", "licenses", "purl", "properties"}


@pytest.fixture(scope="module")
def listed() -> Any:
    return sbom.document(sbom.Inventory(), made_at="2026-11-27T00:00:00+00:00")


def test_the_list_has_the_members_of_cyclonedx(listed: Any) -> None:
    assert {name: listed[name] for name in ("bomFormat", "specVersion", "version")} == {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
    }
    assert listed.keys() == {
        *("$schema", "bomFormat", "specVersion", "serialNumber", "version"),
        *("metadata", "components", "dependencies"),
    }
    assert re.fullmatch(URN, listed["serialNumber"])
    components = listed["components"]
    assert [each["name"] for each in components if each.keys() - COMPONENT] == []
    for each in components:
        assert (each["type"], each["bom-ref"], each["scope"] in {"required", "excluded"}) == (
            "library",
            each["purl"],
            True,
        )
        assert re.fullmatch(PURL, each["purl"])
        assert each["hashes"]
        assert {hashed["alg"] for hashed in each["hashes"]} == {"SHA-256"}
        assert all(re.fullmatch(DIGEST, hashed["content"]) for hashed in each["hashes"])
        for licence in each.get("licenses", ()):
            assert licence.keys() in ({"expression"}, {"license"})
            assert licence.get("license", {"id": ""}).keys() in ({"id"}, {"name"})
    refs = [each["bom-ref"] for each in (listed["metadata"]["component"], *components)]
    assert [each["ref"] for each in listed["dependencies"]] == refs
    assert len(set(refs)) == len(refs)
    assert {ref for each in listed["dependencies"] for ref in each["dependsOn"]} - set(refs) == set()


def test_every_package_of_the_portal_has_a_licence_and_is_reached(listed: Any) -> None:
    needed = {each["name"]: each for each in listed["components"] if each["scope"] == "required"}
    assert [name for name, each in needed.items() if not each.get("licenses")] == []
    names = {sbom.normal(text) for text in re.findall(r"^ {4}\"([\w.-]+)", dependencies(), re.MULTILINE)}
    assert names - needed.keys() == set()
    assert {"pytest", "mypy", "ruff", "playwright"} & needed.keys() == set()


def dependencies() -> str:
    return (ROOT / "pyproject.toml").read_text(encoding="utf-8").split("dependencies = [")[1].split("\n]")[0]


def test_what_is_installed_is_what_is_pinned() -> None:
    here = {
        pin.name: pin.version
        for pin in sbom.Inventory().pins
        if not pin.marker or Marker(pin.marker).evaluate()
    }
    installed = {sbom.normal(found.name): found.version for found in metadata.distributions()}
    makers = {"pip", "uv", "setuptools", "wheel"}  # what makes the environment is no part of it
    assert {name: version for name, version in installed.items() if name not in makers - here.keys()} == here


@pytest.mark.parametrize("line", ["django>=6", "-e .", "django @ https://example.com/django.whl"])
def test_a_lock_that_pins_loosely_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match=re.escape(line)):
        sbom.pins(f"amqp==5.4.2 \\\n    --hash=sha256:{'0' * 64}\n{line}\n")


def test_the_command_prints_and_writes_the_list(db: None, listed: Any, tmp_path: Path) -> None:
    out, file = io.StringIO(), tmp_path / "sbom.json"
    call_command("sbom", "--json", "--output", str(file), stdout=out)
    printed = json.loads(out.getvalue())
    assert (printed, printed["components"]) == (json.loads(file.read_text()), listed["components"])
    out = io.StringIO()
    call_command("sbom", stdout=out)
    assert out.getvalue().startswith(f"CycloneDX 1.6 {listed['serialNumber']}\n")
    with pytest.raises(CommandError, match="No such file or directory"):
        call_command("sbom", "--output", str(tmp_path / "no" / "where"), stdout=out)


# --- Django's notices -------------------------------------------------------------------------------
def test_every_notice_is_fixed_in_the_django_that_runs() -> None:
    rows = re.findall(
        r"^\| (CVE-\d{4}-\d+) \| (\d{4}-\d\d-\d\d) \| ([\d.]+) \| .+ \| (.+) \|$", NOTICES, re.MULTILINE
    )
    running = metadata.version("django")
    assert (len(rows), len({cve for cve, *_rest in rows})) == (64, 64)
    assert [cve for cve, _date, fixed, _here in rows if Version(fixed) > Version(running)] == []
    dates = [date for _cve, date, *_rest in rows]
    assert dates == sorted(dates, reverse=True)
    assert re.findall(r"核对至 Django ([\d.]+)（(.+?)）", NOTICES) == [(running, dates[0])]


def test_what_a_notice_does_not_concern_is_really_not_used() -> None:
    """The reasons given for 不涉及: no admin, no GIS, no page cache, no formsets, WSGI."""
    assert {"django.contrib.admin", "django.contrib.gis"} & set(settings.INSTALLED_APPS) == set()
    assert [name for name in settings.MIDDLEWARE if "cache" in name.lower()] == []
    assert settings.WSGI_APPLICATION == "pilot.wsgi.application"
    assert not hasattr(settings, "ASGI_APPLICATION") or settings.ASGI_APPLICATION is None
    unused = re.compile(
        r"formset_factory|BaseModelFormSet|get_signed_cookie|set_signed_cookie|utils\.archive|cache_page|get_asgi"
        r"|serializers\.deserialize|handlers\.modwsgi|PasswordReset(View|Form)|FileSystemStorage|default_storage"
    )
    code = [
        path
        for app in ("pilot", "applications", "assessment", "filings")
        for path in (ROOT / app).rglob("*.py")
    ]
    assert [str(path) for path in code if unused.search(path.read_text(encoding="utf-8"))] == []
