"""A circuit breaker whose state is one database row, so that all workers know of it and a restart forgets nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.db.models import F

from filings.models import AuthorityCircuit
from pilot import clock


@dataclass(frozen=True, slots=True)
class Circuit:
    """Opens after ``limit`` failures in a row; then one caller per ``pause`` may try whether the other side is back.

    Real time counts. Every step is one statement of its own, so no lock is held while somebody waits for an answer.
    """

    name: str
    limit: int = 5
    pause: timedelta = timedelta(minutes=1)

    def lets_pass(self) -> bool:
        """Whether the other side may be asked. Of several callers at the end of a pause exactly one passes: the probe.

        Passing begins the next pause, so a probe that dies midway is followed by another one.
        """
        row = AuthorityCircuit.objects.filter(name=self.name).first()
        if row is None or row.open_until is None:
            return True
        now = clock.security_now()
        due = AuthorityCircuit.objects.filter(name=self.name, open_until__lte=now)
        return due.update(open_until=now + self.pause) == 1

    def succeeded(self) -> None:
        """An answer came: the circuit is closed, earlier failures are forgotten."""
        AuthorityCircuit.objects.filter(name=self.name).exclude(failures=0).update(
            failures=0, open_until=None
        )

    def failed(self) -> None:
        """No answer came; enough of those open the circuit, a failed probe opens it again."""
        AuthorityCircuit.objects.get_or_create(name=self.name)
        row = AuthorityCircuit.objects.filter(name=self.name)
        row.filter(failures__lt=self.limit).update(failures=F("failures") + 1)
        row.filter(failures__gte=self.limit).update(open_until=clock.security_now() + self.pause)
