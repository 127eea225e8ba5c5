"""What a bulletin or the final report is compiled from."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from filings.enums import BulletinKind
from filings.forms.common import long_text
from filings.models import Bulletin
from pilot.forms import ActForm


class BulletinForm(ActForm):
    """A month, or the whole pilot with conclusions, and which published bulletin it corrects, if any."""

    kind = forms.ChoiceField(label=_("种类"), choices=BulletinKind.choices, initial=BulletinKind.MONTHLY)
    period = forms.CharField(
        label=_("月份"),
        max_length=7,
        required=False,
        help_text=_("格式 2019-06，须为已结束的月份；总结报告不填"),
    )
    conclusions = long_text(
        _("总结意见"), rows=8, required=False, help_text=_("总结报告必填，每行一段；月度通报不填")
    )
    corrects = forms.ModelChoiceField(
        label=_("更正哪一期"), queryset=Bulletin.unscoped.none(), required=False
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rows = Bulletin.objects.visible_to(self.actor).filter(state="published").order_by("-sequence")
        field: Any = self.fields["corrects"]
        field.queryset = rows
        field.label_from_instance = lambda bulletin: f"{bulletin.number} · {bulletin}"
