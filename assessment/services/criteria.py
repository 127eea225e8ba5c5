"""Install the criteria catalogue of a programme from its data file."""

from __future__ import annotations

import tomllib
from pathlib import Path

from django.db import transaction
from django.utils.translation import gettext as _

from assessment.models import Criterion
from pilot.actors import Actor
from pilot.errors import Refused
from pilot.models import Programme
from pilot.services import audit

FOLDER = Path(__file__).resolve().parent.parent / "criteria"
FULL_POINTS = 100


@transaction.atomic
def install(programme: Programme, *, actor: Actor | None = None) -> list[Criterion]:
    """Enter ``assessment/criteria/<code>.toml`` as the programme's catalogue; a second call changes nothing.

    Raises :class:`Refused` when there is no such file, or when its points do not sum to 100.
    """
    Programme.objects.select_for_update(no_key=True).get(pk=programme.pk)  # of two at once one installs
    if existing := list(Criterion.objects.filter(programme=programme)):
        return existing
    path = FOLDER / f"{programme.code}.toml"
    if not path.is_file():
        raise Refused(_("没有评估指标数据文件 %(code)s") % {"code": programme.code})
    data = tomllib.loads(path.read_text(encoding="utf-8"))
    criteria = [
        Criterion(programme=programme, version=data["version"], position=position, **row)
        for position, row in enumerate(data["criteria"], start=1)
    ]
    if sum(criterion.points for criterion in criteria) != FULL_POINTS:
        raise Refused(_("评估指标的满分合计应为 100 分"))
    Criterion.objects.bulk_create(criteria)
    audit.record(
        action="criteria.install", actor=actor or Actor.system("install_criteria"), subject=programme
    )
    return criteria
