"""How a model declares its state machine: the state field, one ``step`` per transition, and the table's own law.

Execution is not here: only ``pilot.workflow.fire`` moves a case (house rule 1).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any, ClassVar

import pgtrigger
from django.db import models
from django.utils.encoding import force_str
from django_fsm import FSMField, transition

from pilot.actors import Actor
from pilot.rules import local_day


class UnscopedQueryError(RuntimeError):
    """A query on organisation-owned data that names no actor (house rule 4)."""


class StateField(FSMField):
    """A protected FSM state. Migrations see a plain ``CharField``, so they never depend on the FSM package."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", 32)
        kwargs["protected"] = True
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        name, _path, args, kwargs = super().deconstruct()
        kwargs.pop("protected", None)
        kwargs.pop("choices", None)
        return name, "django.db.models.CharField", args, kwargs


def step(
    source: str | Iterable[str], target: str, label: Any
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Declare a transition. Who may fire it stands in ``policy.toml``, its conditions in ``transitions.py``."""
    sources = source if isinstance(source, str) else list(source)
    declare: Callable[[Callable[..., None]], Callable[..., None]] = transition(
        field="state", source=sources, target=target, custom={"label": label}
    )
    return declare


class ScopedManager(models.Manager[Any]):
    """The default way to data: only through ``visible_to(actor)``; anything else raises :class:`UnscopedQueryError`."""

    def get_queryset(self) -> models.QuerySet[Any]:
        raise UnscopedQueryError(
            f"{self.model.__name__}.objects needs visible_to(actor); services use .unscoped"
        )

    def visible_to(self, actor: Actor) -> models.QuerySet[Any]:
        """The rows this actor may know of."""
        return models.QuerySet(self.model, using=self._db).filter(self.model.visibility(actor))


NOTHING = models.Q(pk__in=())
EVERYTHING = models.Q()


@cache
def _labels(field: Any) -> dict[Any, Any]:
    """Value → label of a field with choices; labels stay lazy and are translated when they are shown."""
    return dict(field.flatchoices)


class Labelled(models.Model):
    """A model whose ``get_…_display`` translates the one label that is shown."""

    class Meta:
        abstract = True

    def _get_FIELD_display(self, field: Any) -> Any:  # noqa: N802  (Django's name, behind get_…_display)
        # Django's own translates all labels of the field to find one: a millisecond for each province in a list.
        value = getattr(self, field.attname)
        return force_str(_labels(field).get(value, value), strings_only=True)


class Owned(Labelled):
    """Organisation-owned data: visibility is part of the model, and ``objects`` refuses unscoped queries."""

    unscoped: ClassVar[models.Manager[Any]] = models.Manager()
    objects: ClassVar[ScopedManager] = ScopedManager()

    class Meta(Labelled.Meta):
        abstract = True
        base_manager_name = "unscoped"
        default_manager_name = "unscoped"

    @classmethod
    def visibility(cls, actor: Actor) -> models.Q:
        """Which rows ``actor`` may know of (design.md, "People and visibility"). Nothing unless said otherwise."""
        return NOTHING


@cache
def _slug(name: str) -> str:
    return "".join(f"-{c.lower()}" if c.isupper() else c for c in name).lstrip("-")


class Case(Owned):
    """A row with a state machine. ``case_key`` joins the histories of all machines that serve one case."""

    number_prefix: ClassVar[str] = ""  # of its cases' numbers, unless they have numbers of their own
    state: Any
    case_key = models.UUIDField(editable=False, db_index=True)
    opened_at = models.DateTimeField(editable=False)
    state_since = models.DateTimeField(editable=False)
    due_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta(Owned.Meta):
        abstract = True

    _refreshing: ClassVar[bool] = False

    def refresh_from_db(self, *args: Any, **kwargs: Any) -> None:
        # A protected FSM field accepts its value only while the instance has none (peers.md 5.3, no. 4).
        held = self.__dict__.pop("state", None)
        self.__dict__["_refreshing"] = held is not None
        try:
            super().refresh_from_db(*args, **kwargs)
        finally:
            del self.__dict__["_refreshing"]
            if "state" not in self.__dict__ and held is not None:
                self.__dict__["state"] = held

    def get_deferred_fields(self) -> set[str]:
        # The state taken out for a refresh is no deferred field: it is read again like every other.
        deferred: set[str] = super().get_deferred_fields()
        return deferred - {"state"} if self._refreshing else deferred

    @classmethod
    def slug(cls) -> str:
        """The machine's name in URLs, the policy file and the history, e.g. ``provincial-report``."""
        return _slug(cls.__name__)

    @property
    def is_marred(self) -> bool:
        """Whether something is left to mend in a state that looks settled: its tag warns then."""
        return False

    @property
    def title(self) -> str:
        """What the case is about, in words."""
        return str(self)

    @property
    def number(self) -> str:
        """The readable number that people quote: prefix of the machine, year it was opened, row (``ZG-2019-0003``)."""
        return f"{self.number_prefix}-{local_day(self.opened_at).year}-{self.pk:04d}"

    @property
    def called(self) -> str:
        """What a notice of it says beside its number: mostly whose case it is.

        No personal data, and nothing that is destroyed some day: notices stay.
        """
        return self.title

    @property
    def stated_reason(self) -> str:
        """Why it is decided as it is, where the case itself and not the step of the decision says so."""
        return ""

    @classmethod
    def numbered(cls, text: str) -> models.Q:
        """The case with this readable number; nothing for any other text."""
        found = re.fullmatch(r"([A-Z]+)-(\d{4})-(\d{4,9})", text.strip().upper())
        if found is None or found[1] != cls.number_prefix:
            return NOTHING
        return models.Q(pk=int(found[3]), opened_at__year=int(found[2]))


MACHINES: dict[str, type[Case]] = {}


@cache
def state_field(model: type[Case]) -> Any:
    """The state field of a machine (each model declares its own, with its own states)."""
    return next(field for field in model._meta.local_fields if field.name == "state")


def machine(model: type[Case]) -> type[Case]:
    """Class decorator: register the machine and let the database know its pairs and its first states.

    The triggers are generated from the declared transitions and travel in migrations, so
    ``makemigrations --check`` fails when code and database law part.
    """
    pairs = sorted(state_pairs(model))
    first = state_field(model).default
    pgtrigger.register(
        pgtrigger.FSM(name="state_pairs", field="state", transitions=pairs),
        pgtrigger.Trigger(
            name="first_state",
            when=pgtrigger.Before,
            operation=pgtrigger.Insert,
            func=(
                f"IF NEW.state <> '{first}' THEN "
                f"RAISE EXCEPTION 'first state % is not allowed', NEW.state USING ERRCODE = 'check_violation'; "
                f"END IF; RETURN NEW;"
            ),
        ),
    )(model)
    MACHINES[model.slug()] = model
    return model


@cache
def declared(model: type[Case]) -> tuple[Any, ...]:
    """All transitions of a machine (django-fsm ``Transition`` objects), one per name and source."""
    moves = state_field(model).get_all_transitions(model)
    return tuple(sorted(moves, key=lambda move: (move.name, str(move.source))))


def state_pairs(model: type[Case]) -> set[tuple[str, str]]:
    """The (source, target) pairs the machine allows."""
    return {(str(t.source), str(t.target)) for t in declared(model)}


def append_only(name: str = "append_only") -> tuple[pgtrigger.Trigger, ...]:
    """Triggers for tables whose rows are law once written: no update, no delete, no truncate (house rule 6)."""
    return (
        pgtrigger.Protect(name=name, operation=pgtrigger.Update | pgtrigger.Delete),
        pgtrigger.Trigger(
            name=f"{name}_truncate",
            level=pgtrigger.Statement,
            when=pgtrigger.Before,
            operation=pgtrigger.Truncate,
            func="RAISE EXCEPTION 'rows of % are append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';",
        ),
    )


def never_deleted() -> pgtrigger.Trigger:
    """Trigger: no row is ever deleted."""
    return pgtrigger.Protect(name="kept", operation=pgtrigger.Delete)


def frozen(*columns: str, states: Iterable[str], name: str = "frozen") -> pgtrigger.Trigger:
    """Trigger: while a case stays in one of these states, the columns that decided it do not change."""
    old, new = (", ".join(f"{row}.{column}" for column in columns) for row in ("OLD", "NEW"))
    listed = ", ".join(f"'{state}'" for state in states)
    return pgtrigger.Trigger(
        name=name,
        when=pgtrigger.Before,
        operation=pgtrigger.Update,
        condition=pgtrigger.Condition(
            f"OLD.state IN ({listed}) AND NEW.state = OLD.state AND ({old}) IS DISTINCT FROM ({new})"
        ),
        func="RAISE EXCEPTION 'what was decided in % does not change', TG_TABLE_NAME "
        "USING ERRCODE = 'restrict_violation';",
    )


def four_eyes(first: str, second: str, *, name: str) -> models.CheckConstraint:
    """Constraint: the second hand is not the first (persons, not roles)."""
    return models.CheckConstraint(
        name=name,
        condition=models.Q(**{f"{second}__isnull": True}) | ~models.Q(**{first: models.F(second)}),
    )
