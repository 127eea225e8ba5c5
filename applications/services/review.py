"""Marking the checklist of an application."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from applications.enums import Mark
from applications.models import Application, ApplicationFile, ApplicationVersion, ChecklistMark
from applications.selectors import content, review
from applications.services import claims, viewing
from pilot import clock
from pilot.actors import Actor
from pilot.errors import Refused, StateChanged
from pilot.services import audit


@dataclass(frozen=True, slots=True)
class Given:
    """A mark as it is handed in. An empty ``mark`` takes the mark on this item away."""

    item: str
    mark: str
    text: str = ""
    file: int | None = None
    page: int | None = None


@audit.denials_recorded("application.mark")
@transaction.atomic
def mark(*, case: Application, actor: Actor, version: int, given: Sequence[Given]) -> int:
    """Mark items and take the application on the desk; returns how many changed. ``version`` is the one looked at.

    Raises :class:`StateChanged` when another version was handed in since, :class:`NotPermitted` for another role or
    province, :class:`Refused` while somebody else has it on the
    desk, when it does not wait for the bureau's word, or for an item, mark, file or page that does not exist.
    """
    locked = claims.lock(case, actor, "mark")
    claims.take(locked, actor)
    latest = content.latest_version(locked)
    if latest is None or latest.number != version:
        raise StateChanged(_("申请人已提交新的版本，请刷新后再审核"))
    present = review.marks(locked, version=version)
    changed = [row for row in given if _keep(locked, latest, row, present.get(row.item), actor)]
    if changed:
        audit.record(
            action="application.mark",
            actor=actor,
            subject=locked,
            detail={"version": version, "marks": {row.item: row.mark for row in changed}},
        )
    return len(changed)


def _keep(
    case: Application,
    version: ApplicationVersion,
    given: Given,
    present: ChecklistMark | None,
    actor: Actor,
) -> bool:
    if given.item not in {item.key for item in review.items(case)}:
        raise Refused(_("审核清单中没有这一项"))
    if not given.mark:
        if present is not None:
            present.delete()
        return present is not None
    wanted = _checked(version, given)
    if present is not None and all(getattr(present, name) == value for name, value in wanted.items()):
        return False
    row = present or ChecklistMark(application=case, version=version.number, item=given.item)
    for name, value in wanted.items():
        setattr(row, name, value)
    row.marked_by_id, row.marked_at = actor.acting_person, clock.now()
    row.save()
    return True


def _checked(version: ApplicationVersion, given: Given) -> dict[str, Any]:
    if given.mark not in Mark.values:
        raise Refused(_("没有这种审核结论"))
    text = given.text.strip()
    if len(text) > review.MAX_TEXT:
        raise Refused(_("说明超过 %(n)s 字") % {"n": review.MAX_TEXT})
    if given.file is None:
        return {"mark": given.mark, "text": text, "file_id": None, "page": None}
    if given.file not in {file["id"] for file in version.files}:
        raise Refused(_("所引用的材料不在本次提交之中"))
    page = given.page or 1
    if not 1 <= page <= max(1, viewing.page_count(ApplicationFile.unscoped.get(pk=given.file))):
        raise Refused(_("所引用的页码不存在"))
    return {"mark": given.mark, "text": text, "file_id": given.file, "page": page}
