"""The criteria catalogue of a programme: installed from its data file, then replaced edition by edition."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from assessment.models import CatalogueEdition, Criterion
from assessment.selectors import capability
from pilot import clock, policy
from pilot.actors import Actor
from pilot.errors import NotPermitted, Refused, StateChanged
from pilot.models import Programme
from pilot.services import audit

FOLDER = Path(__file__).resolve().parent.parent / "criteria"
FULL_POINTS = 100
MOST = 30  # criteria of one catalogue
WORDS = ("title", "title_en", "guidance", "guidance_en")
LONGEST = {"title": 128, "title_en": 128, "guidance": 500, "guidance_en": 500}


@transaction.atomic
def install(programme: Programme, *, actor: Actor | None = None) -> list[Criterion]:
    """Enter ``assessment/criteria/<code>.toml`` as the programme's first edition; a second call changes nothing.

    Returns the criteria in force. Raises :class:`Refused` when there is no such file, or for a faulty one.
    """
    Programme.objects.select_for_update(no_key=True).get(pk=programme.pk)  # of two at once one installs
    if newest := capability.newest_version(programme):
        return list(capability.catalogue(programme, newest).values())
    data = _shipped(programme)
    if not data:
        raise Refused(_("没有评估指标数据文件 %(code)s") % {"code": programme.code})
    _enter(programme, data["version"], data["criteria"], data["reason"], by=None)
    audit.record(
        action="criteria.install", actor=actor or Actor.system("install_criteria"), subject=programme
    )
    return list(capability.catalogue(programme, data["version"]).values())


def in_force(programme: Programme) -> tuple[int, list[Criterion]]:
    """Version and criteria of the catalogue in force; where none is installed yet, the shipped one, unsaved.

    (0, []) for a programme without either: its first edition is made by hand.
    """
    if newest := capability.newest_version(programme):
        return newest, list(capability.catalogue(programme, newest).values())
    data = _shipped(programme)
    return (data["version"], _criteria(programme, data["version"], data["criteria"])) if data else (0, [])


@audit.denials_recorded("criteria.issue")
@transaction.atomic
def issue(
    *, actor: Actor, programme: Programme, seen: int, criteria: Sequence[Mapping[str, Any]], reason: str
) -> CatalogueEdition:
    """Put a new edition in force for assessments whose assessors are asked from now on; others keep theirs.

    ``criteria`` are in order, each with titles, guidance, points, must_pass and the code it had before; without one
    it is new and gets a code. Raises :class:`NotPermitted`, :class:`StateChanged` when another edition was issued since
    version ``seen``, and :class:`Refused` for a faulty catalogue, without reason, or when nothing changed.
    """
    if not policy.may_open("criteria_edit", actor.role):
        raise NotPermitted(_("评估指标由部经办人员修订"))
    Programme.objects.select_for_update(no_key=True).get(pk=programme.pk)
    if not capability.newest_version(programme) and _shipped(programme):
        install(programme, actor=actor)
    newest = capability.newest_version(programme)
    if newest != seen:
        raise StateChanged(_("评估指标已由他人修订（现为第 %(now)s 版），请刷新后再修订") % {"now": newest})
    if not reason.strip():
        raise Refused(_("请填写修订理由"), field="reason")
    before = capability.catalogue(programme, newest)
    rows = _named([_clean(row) for row in criteria], before, newest + 1)
    if [_content(row) for row in rows] == [_content(vars(c)) for c in before.values()]:
        raise Refused(_("没有改动"))
    edition = _enter(programme, newest + 1, rows, reason.strip(), by=actor.person_id)
    audit.record(
        action="criteria.issue",
        actor=actor,
        subject=edition,
        detail={"version": edition.version, "points": {row["code"]: row["points"] for row in rows}},
    )
    return edition


def _shipped(programme: Programme) -> dict[str, Any]:
    path = FOLDER / f"{programme.code}.toml"
    return tomllib.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def _criteria(programme: Programme, version: int, rows: Sequence[Mapping[str, Any]]) -> list[Criterion]:
    return [
        Criterion(programme=programme, version=version, position=position, **row)
        for position, row in enumerate(rows, start=1)
    ]


def _enter(
    programme: Programme, version: int, rows: Sequence[Mapping[str, Any]], reason: str, *, by: int | None
) -> CatalogueEdition:
    criteria = _criteria(programme, version, rows)
    _check([vars(criterion) for criterion in criteria])
    Criterion.objects.bulk_create(criteria)
    edition: CatalogueEdition = CatalogueEdition.objects.create(
        programme=programme,
        version=version,
        reason=reason,
        issued_at=clock.now(),
        issued_by_id=by,
    )
    return edition


def _clean(row: Mapping[str, Any]) -> dict[str, Any]:
    words = {name: str(row.get(name, "")).strip() for name in WORDS}
    return {"code": row.get("code") or "", **words, "points": row["points"], "must_pass": row["must_pass"]}


def _named(rows: list[dict[str, Any]], before: Mapping[str, Criterion], version: int) -> list[dict[str, Any]]:
    """Every row with a code: its old one, or a new one that says in which version the criterion came."""
    for row in rows:
        if row["code"] and row["code"] not in before:
            raise Refused(_("没有评估指标 %(code)s") % {"code": row["code"]})
    return [{**row, "code": row["code"] or f"v{version}_{n}"} for n, row in enumerate(rows, start=1)]


def _content(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in ("code", *WORDS, "points", "must_pass")}


def _check(rows: Sequence[Mapping[str, Any]]) -> None:
    """Raises :class:`Refused` unless the rows are a catalogue."""
    if len({row["code"] for row in rows}) != len(rows):
        raise Refused(_("同一指标只能出现一次"))
    if len(rows) > MOST:
        raise Refused(_("评估指标不能超过 %(n)s 项") % {"n": MOST})
    for row in rows:
        _check_row(row)
    total = sum(row["points"] for row in rows)
    if total != FULL_POINTS:
        raise Refused(_("评估指标的满分合计应为 100 分，现为 %(n)s 分") % {"n": total})


def _check_row(row: Mapping[str, Any]) -> None:
    if not row["title"] or not row["title_en"]:
        raise Refused(_("每项指标都要有中文名称和英文名称"))
    if any(len(row[name]) > longest for name, longest in LONGEST.items()):
        raise Refused(_("指标“%(title)s”的文字过长") % {"title": row["title"]})
    points, least = row["points"], row["must_pass"]
    if type(points) is not int or type(least) is not int or points < 1 or not 0 <= least <= points:
        raise Refused(
            _("指标“%(title)s”的满分应不低于 1 分，最低要求应在 0 分和满分之间") % {"title": row["title"]}
        )
