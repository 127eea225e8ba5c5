"""What a bureau hands in with its word, brought into shape; refused in words when it has none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import gettext as _

from applications.rules.form import ApplicationForm
from pilot.errors import Refused
from pilot.models import Condition, Programme

MAX_TEXT = 500


def clean_items(form: ApplicationForm, items: Iterable[Mapping[str, Any]]) -> list[dict[str, str]]:
    """The faults of a completeness notice as {target, text}, in the order of the form.

    Raises :class:`Refused` for none at all, a target that is no field or file, one named twice, or no text.
    """
    cleaned: dict[str, str] = {}
    targets = form.targets
    for item in items:
        target, text = str(item.get("target", "")), str(item.get("text", "")).strip()
        if target not in targets:
            raise Refused(_("每处补正须对应申请表的一个项目或一种材料"))
        if target in cleaned:
            raise Refused(_("“%(what)s”重复列出，请合并为一处") % {"what": targets[target]})
        if not text:
            raise Refused(_("请写明“%(what)s”需要怎样补正") % {"what": targets[target]})
        if len(text) > MAX_TEXT:
            raise Refused(_("“%(what)s”的说明超过 %(n)s 字") % {"what": targets[target], "n": MAX_TEXT})
        cleaned[target] = text
    if not cleaned:
        raise Refused(_("请至少列出一处需要补正的内容"))
    return [{"target": target, "text": cleaned[target]} for target in targets if target in cleaned]


def condition_of(programme: Programme, number: Any) -> Condition:
    """The programme condition with this number. Raises :class:`Refused` when there is none."""
    condition = Condition.objects.filter(programme=programme, number=number or 0).first()
    if condition is None:
        raise Refused(_("请选择不符合的参与条件"))
    return condition
