"""The bulletin (通报): a month's figures of all units, frozen, signed by another person, published."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from filings.enums import BulletinKind, BulletinState
from pilot.actors import Actor
from pilot.machines import EVERYTHING, Case, StateField, four_eyes, machine, step

S = BulletinState


@machine
class Bulletin(Case):
    """One period's bulletin; a mistake found after publication is a numbered corrigendum.

    The final report is the bulletin of the whole run phase, with conclusions in words.
    """

    state = StateField(default=S.COMPILED, choices=S.choices)
    programme = models.ForeignKey("pilot.Programme", on_delete=models.PROTECT, related_name="bulletins")
    kind = models.CharField(
        _("种类"),
        max_length=8,
        choices=BulletinKind.choices,
        default=BulletinKind.MONTHLY,
        db_default=BulletinKind.MONTHLY.value,
    )
    period = models.CharField(_("期间"), max_length=10)
    sequence = models.PositiveIntegerField()
    corrects = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="corrigenda"
    )
    figures: Any = models.JSONField()
    conclusions = models.TextField(_("总结意见"), blank=True, default="", db_default="")
    as_of = models.DateTimeField()
    compiled_by = models.ForeignKey("pilot.Person", on_delete=models.PROTECT, related_name="+")
    signed_by = models.ForeignKey("pilot.Person", on_delete=models.PROTECT, null=True, related_name="+")

    class Meta(Case.Meta):
        constraints = [
            four_eyes("compiled_by", "signed_by", name="bulletin_four_eyes"),
            models.UniqueConstraint(fields=["programme", "sequence"], name="bulletin_sequence_once"),
            models.UniqueConstraint(
                fields=["programme", "period"],
                condition=Q(corrects__isnull=True) & ~Q(state="discarded"),
                name="one_bulletin_per_period",
            ),
        ]

    def __str__(self) -> str:
        if self.is_final:
            return str(BulletinKind.FINAL.label)
        return str(_("%(period)s 通报")) % {"period": self.period}

    @property
    def is_final(self) -> bool:
        """Whether it reports on the whole pilot."""
        return self.kind == BulletinKind.FINAL

    @property
    def number(self) -> str:
        return str(_("第%(number)s期")) % {"number": self.sequence}

    @classmethod
    def visibility(cls, actor: Actor) -> Q:
        return EVERYTHING if actor.sees_everything else Q(state=S.PUBLISHED)

    @step(S.COMPILED, S.SIGNED, _("签发"))
    def sign(self) -> None:
        """An approver, another person than the compiler, signs."""

    @step(S.SIGNED, S.PUBLISHED, _("发布"))
    def publish(self) -> None:
        """Published; from now on anyone may see it."""

    @step([S.COMPILED, S.SIGNED], S.DISCARDED, _("废弃"))
    def discard(self) -> None:
        """Given up before publication."""
