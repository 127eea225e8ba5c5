"""The only way a case changes state: ``fire``. One transaction holds the move, its effects and its record.

Order inside the transaction: lock the row, compare with the state the actor saw, permission, condition (with a reason
in words), transition, effects, save, history row, audit row, notices. What is denied is audited on its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache, reduce
from operator import or_
from typing import Any, Final

from django.db import OperationalError, transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from django_fsm import can_proceed
from psycopg.errors import DeadlockDetected

from pilot import clock, policy
from pilot.actors import Actor
from pilot.errors import NotPermitted, PilotError, Refused, StateChanged
from pilot.language import on_record
from pilot.machines import Case, declared, state_field
from pilot.models import AuditEntry, Membership, TransitionRecord
from pilot.services import audit, notices
from pilot.signals import case_moved

type Guard = Callable[[Any, Actor, datetime], Any | None]
type Effect = Callable[[Any, "Act"], None]
type Around = Callable[[Any, "Act"], AbstractContextManager[None]]
type Audience = Callable[[Any], QuerySet[Membership]]


CALLED: Final = 160  # characters of what a case is about in a notice: number and act stay whole


@dataclass(slots=True)
class Act:
    """One transition being carried out: who, when (business time), why, and what was handed in with it."""

    machine: str
    name: str
    actor: Actor
    at: datetime
    reason: str
    data: Mapping[str, Any]
    source: str
    step: int  # number of this step in the life of the object

    @property
    def key(self) -> str:
        """Names this act in outbox and notices, so that taking it back can withhold them."""
        return f"{self.machine}:{self.step}"

    def downward(self, case: Case, name: str, *, reason: str | None = None, **data: Any) -> Case:
        """Set the state of a case below in the same transaction; the history names the same person.

        The reason of this act goes along unless another one, or none (``""``), is given: it is read by whoever reads
        the case below.
        """
        words = self.reason if reason is None else reason
        return fire(case, name, actor=self.actor.downward(), at=self.at, reason=words, **data)


@dataclass(frozen=True, slots=True)
class Handler:
    """What ``transitions.py`` says about one transition: conditions, effect, whom to tell, how long notices wait."""

    effect: Effect | None = None
    guards: tuple[Guard, ...] = ()
    tell: tuple[Audience, ...] = ()
    hold: timedelta | None = None
    internal: bool = False
    reason_required: bool = False


@dataclass(frozen=True, slots=True)
class _Fresh:
    """A case that this transaction has opened, and its steps, which are not written yet."""

    case: Case
    steps: list[TransitionRecord] = field(default_factory=list)


_fresh: ContextVar[_Fresh | None] = ContextVar("fresh", default=None)
_handlers: dict[tuple[str, str], Handler] = {}
_PLAIN = Handler()
_around: dict[str, Around] = {}


def on(
    model: type[Case],
    *names: str,
    guards: Iterable[Guard] = (),
    tell: Iterable[Audience] = (),
    hold: timedelta | None = None,
    internal: bool = False,
    reason_required: bool = False,
) -> Callable[[Effect], Effect]:
    """Register the effect of transitions of a machine, with conditions and audiences."""

    def register(effect: Effect) -> Effect:
        for name in names:
            _handlers[model.slug(), name] = Handler(
                effect, tuple(guards), tuple(tell), hold, internal, reason_required
            )
        return effect

    return register


def around(model: type[Case]) -> Callable[[Around], Around]:
    """Register what surrounds every transition of a machine, from before its effects until the case is saved.

    For what has to be known both before and after, whichever transition it is.
    """

    def register(surrounding: Around) -> Around:
        _around[model.slug()] = surrounding
        return surrounding

    return register


def handler(model: type[Case], name: str) -> Handler:
    """The handler of a transition; one without conditions and effects needs none."""
    return _handlers.get((model.slug(), name), _PLAIN)


def label(model: type[Case], name: str) -> Any:
    """The words for a transition."""
    return next(t.custom["label"] for t in declared(model) if t.name == name)


def fire(
    case: Case,
    name: str,
    *,
    actor: Actor,
    seen: str | None = None,
    seen_step: int | None = None,
    at: datetime | None = None,
    reason: str = "",
    **data: Any,
) -> Any:
    """Carry out one transition and return the case as it then is.

    ``seen`` is the state the actor looked at, ``seen_step`` the number of steps the case had taken by then (a step may
    lead back to the same state); ``at`` is given by the system when a clock ran out at a known moment.
    Raises :class:`StateChanged`, :class:`NotPermitted` or :class:`Refused`; then nothing of it has happened.
    """
    try:
        with clock.steady(), transaction.atomic(savepoint=_fresh_of(case) is None):
            return _fire(
                case, name, actor=actor, seen=seen, seen_step=seen_step, at=at, reason=reason, data=data
            )
    except OperationalError as error:
        if isinstance(error.__cause__, DeadlockDetected):
            # Two acts on cases of one application locked each other; the database let the other one win.
            raise StateChanged(_("该事项正由他人办理，请刷新后再试")) from error
        raise
    except PilotError as error:
        if not transaction.get_connection().in_atomic_block:
            record_denial(case, name, actor=actor, error=error)
        raise


def _fire(
    case: Case,
    name: str,
    *,
    actor: Actor,
    seen: str | None,
    seen_step: int | None,
    at: datetime | None,
    reason: str,
    data: Mapping[str, Any],
) -> Case:
    model = type(case)
    locked, taken = _held(case)
    if seen is not None and locked.state != seen:
        raise StateChanged(
            _("状态已由“%(seen)s”变为“%(now)s”，请刷新后再办理")
            % {"seen": state_label(model, seen), "now": state_label(model, locked.state)}
        )
    if seen_step is not None and taken != seen_step:
        raise StateChanged(_("该事项已由他人办理了一步，请刷新后再办理"))
    at = at or clock.now()
    if why := why_not(locked, name, actor=actor, at=at):
        raise why
    rule = handler(model, name)
    if rule.reason_required and not reason.strip():
        raise Refused(_("请填写理由"), field="reason")
    act = Act(f"{model.slug()}:{locked.pk}", name, actor, at, reason, data, locked.state, taken + 1)
    getattr(locked, name)()
    if locked.state != act.source:
        locked.state_since = at
        locked.due_at = None  # each clock belongs to the state just left; effects start the next
    _record_step(locked, act, rule)  # before the effects, so that a timeline tells the cause first
    surrounding = _around.get(model.slug())
    with surrounding(locked, act) if surrounding else nullcontext():
        if rule.effect is not None:
            rule.effect(locked, act)
        locked.save()
    _tell(locked, act, rule)
    case_moved.send(sender=model, case=locked, act=act)
    return locked


def _held(case: Case) -> tuple[Any, int]:
    """The case as it is now, kept from everybody else until the commit, and how many steps it has taken."""
    if fresh := _fresh_of(case):
        return case, len(fresh.steps)
    locked = type(case).unscoped.select_for_update(of=("self",)).get(pk=case.pk)
    return locked, steps(locked)


def _fresh_of(case: Case) -> _Fresh | None:
    fresh = _fresh.get()
    return fresh if fresh is not None and fresh.case is case else None


def steps(case: Case) -> int:
    """How many steps a case has taken, its opening included."""
    return TransitionRecord.objects.filter(machine=type(case).slug(), object_id=case.pk).count()


def why_not(
    case: Case, name: str, *, actor: Actor, at: datetime, asked: dict[Guard, Any] | None = None
) -> PilotError | None:
    """Why a transition cannot be fired now by this actor, or None. Says the first obstacle in words.

    ``asked`` holds what guards have said of this very question already: a guard stands before several transitions.
    """
    model = type(case)
    if not policy.may_act(model.slug(), name, actor.role):
        return not_permitted(model, name)
    if not can_proceed(getattr(case, name), check_conditions=False):
        return StateChanged(
            _("当前状态为“%(state)s”，不能%(act)s")
            % {"state": state_label(model, case.state), "act": label(model, name)}
        )
    said = {} if asked is None else asked
    for guard in handler(model, name).guards:
        if guard not in said:
            said[guard] = guard(case, actor, at)
        if reason := said[guard]:
            return Refused(reason)
    return None


def not_permitted(model: type[Case], name: str) -> NotPermitted:
    """What a role is told that may never fire this transition."""
    return NotPermitted(_("“%(act)s”不属于您当前角色的职责") % {"act": label(model, name)})


def states(model: type[Case]) -> list[tuple[str, Any]]:
    """The states of a machine with their words, in order of declaration."""
    return list(state_field(model).flatchoices)


def state_label(model: type[Case], state: str) -> str:
    """The words for a state."""
    return str(_words_of(model).get(state, state))


@cache
def _words_of(model: type[Case]) -> dict[str, Any]:
    return dict(states(model))


def _record_step(case: Case, act: Act, rule: Handler) -> None:
    record = TransitionRecord(
        machine=type(case).slug(),
        object_id=case.pk,
        number=act.step,
        case_key=case.case_key,
        name=act.name,
        source=act.source,
        target=case.state,
        at=act.at,
        person_id=act.actor.person_id,
        organisation_id=act.actor.organisation_id,
        role=act.actor.role,
        reason=act.reason,
        internal=rule.internal,
    )
    _keep_step(case, record)


def _keep_step(case: Case, record: TransitionRecord) -> None:
    if fresh := _fresh_of(case):
        fresh.steps.append(record)
    else:
        record.save(force_insert=True)


def _tell(case: Case, act: Act, rule: Handler) -> None:
    """The audit row, and notices to whoever the rule names."""
    audit.record(
        action=f"{type(case).slug()}.{act.name}",
        actor=act.actor,
        subject=case,
        detail={"from": act.source, "to": case.state},
    )
    if not rule.tell:
        return
    with on_record():
        act_label = str(label(type(case), act.name))
        subject = " · ".join(filter(None, (case.number, case.called[:CALLED], act_label)))
    told = reduce(or_, (Q(pk__in=audience(case).values("pk")) for audience in rule.tell))
    notices.send(
        members=Membership.objects.filter(told),  # who is of two audiences is told once
        subject=subject,
        mailed_subject=f"{case.number} · {act_label}",
        machine=type(case).slug(),
        object_id=case.pk,
        source=act.key,
        hold=rule.hold,
    )


def record_denial(case: Case, name: str, *, actor: Actor, error: PilotError) -> None:
    """Put on record that somebody tried what is not to be done now, or not by them; in a transaction of its own."""
    with transaction.atomic():
        audit.record(
            action=f"{type(case).slug()}.{name}",
            actor=actor,
            outcome=AuditEntry.Outcome.DENIED,
            subject=case,
            detail={"code": error.code},
        )


@dataclass(frozen=True, slots=True)
class Available:
    """A transition out of the current state as one actor sees it."""

    name: str
    label: str
    target: str
    allowed: bool
    reason: str = ""
    roles: frozenset[str] = field(default_factory=frozenset)


def available_actions(case: Case, actor: Actor, *, at: datetime | None = None) -> list[Available]:
    """Every transition out of the case's state that this role may ever fire, allowed or with the reason why not."""
    at = at or clock.now()
    model = type(case)
    actions: dict[str, Available] = {}
    asked: dict[Guard, Any] = {}
    for move in declared(model):
        if move.source != case.state or not policy.may_act(model.slug(), move.name, actor.role):
            continue
        why = why_not(case, move.name, actor=actor, at=at, asked=asked)
        actions[move.name] = Available(
            move.name,
            str(move.custom["label"]),
            str(move.target),
            why is None,
            str(why.message) if why else "",
        )
    return list(actions.values())


def next_steps(case: Case) -> list[Available]:
    """What may happen next, by anybody: for the line "waiting for whom"."""
    model = type(case)
    return [
        Available(
            move.name,
            str(move.custom["label"]),
            str(move.target),
            allowed=True,
            roles=policy.roles_for(model.slug(), move.name),
        )
        for move in declared(model)
        if move.source == case.state
    ]


def open_case(case: Case, *, actor: Actor, at: datetime | None = None) -> None:
    """Fill in what every new case needs and save it; the caller is a service inside its own transaction."""
    at = at or clock.now()
    case.opened_at = case.state_since = at
    case.save()
    record = TransitionRecord(
        machine=type(case).slug(),
        object_id=case.pk,
        number=1,
        case_key=case.case_key,
        name="open",
        source="",
        target=case.state,
        at=at,
        person_id=actor.person_id,
        organisation_id=actor.organisation_id,
        role=actor.role,
    )
    _keep_step(case, record)
    audit.record(action=f"{type(case).slug()}.open", actor=actor, subject=case)


@contextmanager
def begun(case: Case, *, actor: Actor) -> Iterator[None]:
    """Open a case and carry it further in the same transaction, with few statements.

    Nobody else can know the case before the commit: within the block :func:`fire` neither locks nor reads it but moves
    this very object, and its steps and all audit rows are written when the block ends. Raising out of it undoes the
    whole transaction, so nothing raised by ``fire`` is to be caught inside.
    """
    fresh = _Fresh(case)
    with transaction.atomic(savepoint=False), audit.together():
        token = _fresh.set(fresh)
        try:
            open_case(case, actor=actor)
            yield
        finally:
            _fresh.reset(token)
        TransitionRecord.objects.bulk_create(fresh.steps)
