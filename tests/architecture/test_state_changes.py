"""House rule 1: what moves a case stands in the policy. That nothing else does is a rule in .ci/semgrep/data.yml."""

from __future__ import annotations

from pilot import policy
from pilot.machines import MACHINES, declared


def test_every_transition_has_its_row_in_the_policy() -> None:
    transitions = {f"{slug}.{t.name}" for slug, model in MACHINES.items() for t in declared(model)}
    assert transitions - policy.acts().keys() == set()


def test_every_machine_says_who_reads_its_history() -> None:
    with policy.POLICY_FILE.open("rb") as file:
        import tomllib

        assert tomllib.load(file)["history"].keys() == MACHINES.keys()


def test_django_fsm_comes_from_the_maintained_distribution() -> None:
    from importlib.metadata import packages_distributions

    assert packages_distributions()["django_fsm"] == ["django-fsm-2"]
