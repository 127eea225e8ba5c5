"""What a bulletin or the final report is compiled from."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from filings.enums import BulletinKind
from filings.forms.common import long_text
from filings.models import Bulletin
from filings.selectors import bulletins, run_months
from pilot import clock
from pilot.forms import ActForm


class BulletinForm(ActForm):
    """A month, or the whole pilot with conclusions, and which published bulletin it corrects, if any.

    The page shows the fields of the chosen kind.
    """

    page_template = "filings/bulletin_create.html"
    kind = forms.ChoiceField(
        label=_("种类"),
        choices=BulletinKind.choices,
        initial=BulletinKind.MONTHLY,
        widget=forms.RadioSelect,
    )
    period = forms.ChoiceField(
        label=_("月份"), required=False, help_text=_("月度通报必选；只列运行阶段中已结束的月份")
    )
    conclusions = long_text(_("总结意见"), rows=8, required=False, help_text=_("总结报告必填，每行一段"))
    corrects = forms.ModelChoiceField(
        label=_("更正哪一期"),
        queryset=Bulletin.unscoped.none(),
        required=False,
        empty_label=_("不是更正"),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        ended = run_months.ended(at=clock.now())
        period: Any = self.fields["period"]
        period.choices = [("", gettext("请选择")), *((month.name, month.name) for month in reversed(ended))]
        self.initial.setdefault("period", bulletins.next_month(ended))
        rows = Bulletin.objects.visible_to(self.actor).filter(state="published").order_by("-sequence")
        field: Any = self.fields["corrects"]
        field.queryset = rows
        field.label_from_instance = lambda bulletin: f"{bulletin.number} · {bulletin}"
