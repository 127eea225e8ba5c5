"""The one policy: who may open which URL and fire which transition. Read from ``policy.toml``; default deny."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

from pilot.enums import ApiScope, DataGroup, Role

PUBLIC = "public"
SIGNED_IN = "signed_in"
POLICY_FILE = Path(__file__).with_name("policy.toml")
PEOPLE = frozenset(str(role) for role in Role if role != Role.SYSTEM)


class PolicyError(ValueError):
    """``policy.toml`` names a role or group that does not exist."""


@cache
def api() -> dict[str, dict[str, str]]:
    """API URL name → method → the scope a key must hold for it. No role opens these, and no key anything else."""
    with POLICY_FILE.open("rb") as file:
        scopes: dict[str, dict[str, str]] = tomllib.load(file)["api"]
    for name, methods in scopes.items():
        if unknown := set(methods.values()) - set(ApiScope.values):
            raise PolicyError(f"policy.toml: {name} asks for unknown scopes {sorted(unknown)}")
    return scopes


def scope_of(url_name: str, method: str) -> str | None:
    """The scope that opens an API URL for a method; None: nothing does."""
    return api().get(url_name, {}).get("GET" if method in {"HEAD", "OPTIONS"} else method)


@cache
def _tables() -> tuple[dict[str, frozenset[str]], dict[str, frozenset[str]], dict[str, frozenset[str]]]:
    with POLICY_FILE.open("rb") as file:
        raw = tomllib.load(file)
    groups = {name: frozenset(roles) for name, roles in raw["groups"].items()}
    known = {str(role) for role in Role} | {PUBLIC, SIGNED_IN}

    def resolve(names: list[str]) -> frozenset[str]:
        roles: set[str] = set()
        for name in names:
            roles |= groups.get(name, frozenset({name}))
        if unknown := roles - known:
            raise PolicyError(f"policy.toml: unknown roles {sorted(unknown)}")
        return frozenset(roles)

    pages = {url: resolve(names) for url, names in raw["pages"].items()}
    acts = {act: resolve(names) for act, names in raw["acts"].items()}
    history = {machine: resolve(names) for machine, names in raw["history"].items()}
    return pages, acts, history


def pages() -> dict[str, frozenset[str]]:
    """URL name → roles that may open it (``public``: anyone; ``signed_in``: any role)."""
    return _tables()[0]


def acts() -> dict[str, frozenset[str]]:
    """``machine.transition`` → roles that may fire it."""
    return _tables()[1]


def may_open(url_name: str, role: str | None) -> bool:
    """Whether a role (None: anonymous) may open a URL at all; which objects it sees is the selectors' answer."""
    allowed = pages().get(url_name, frozenset())
    if PUBLIC in allowed:
        return True
    return role is not None and (SIGNED_IN in allowed or role in allowed)


def is_public(url_name: str) -> bool:
    """Whether anyone may open a URL."""
    return PUBLIC in pages().get(url_name, frozenset())


def may_act(machine: str, transition: str, role: str) -> bool:
    """Whether a role may fire a transition; conditions come after."""
    return role in acts().get(f"{machine}.{transition}", frozenset())


def roles_for(machine: str, transition: str) -> frozenset[str]:
    """The roles that may fire a transition."""
    return acts().get(f"{machine}.{transition}", frozenset())


def sees_history(machine: str, role: str) -> bool:
    """Whether a role may read the history rows of a machine on a shared timeline."""
    return role == Role.SYSTEM or role in _tables()[2].get(machine, frozenset())


@cache
def _unmasking() -> dict[str, frozenset[str]]:
    with POLICY_FILE.open("rb") as file:
        raw = tomllib.load(file)
    groups = {name: frozenset(roles) for name, roles in raw["groups"].items()}
    table = {
        group: frozenset().union(*(groups.get(name, frozenset({name})) for name in names))
        for group, names in raw["unmask"].items()
    }
    if table.keys() != set(DataGroup.values) or not frozenset().union(*table.values()) <= PEOPLE:
        raise PolicyError("policy.toml: [unmask] names unknown groups of data or roles")
    return table


def may_unmask(group: str, role: str) -> bool:
    """Whether a role may see a group of personal data in full, for one page view and with a reason."""
    return role in _unmasking()[group]


@cache
def signed() -> frozenset[str]:
    """``machine.transition`` of the acts before which the portal asks again who it is."""
    with POLICY_FILE.open("rb") as file:
        named = frozenset(tomllib.load(file)["signing"]["acts"])
    if unknown := named - acts().keys():
        raise PolicyError(f"policy.toml: unknown signed acts {sorted(unknown)}")
    return named
