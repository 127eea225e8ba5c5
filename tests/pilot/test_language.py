"""The reader's language for pages, the portal's own for what is stored or sent."""

from __future__ import annotations

import pytest
from django.utils import translation
from django.utils.translation import gettext as _

from pilot.actors import Actor
from pilot.language import on_record
from pilot.models import Condition, Membership, Notice, OutboxMessage, Person, Programme
from pilot.services import notices


def test_words_on_record_are_the_portals_own() -> None:
    with translation.override("en"):
        before = _("受理")
        with on_record():
            inside = _("受理")
        after = _("受理")
    assert (before, inside, after) == ("Accept", "受理", "Accept")


@pytest.mark.django_db
def test_mail_is_chinese_though_the_actor_reads_english(provider: Actor) -> None:
    Person.objects.filter(pk=provider.person_id).update(email="someone@example.cn")
    members = Membership.objects.filter(person=provider.person_id)
    with translation.override("en"):
        told = notices.send(
            members=members, subject="示例", machine="finding", object_id=1, source="finding:1:1"
        )
    mails = OutboxMessage.objects.filter(source="finding:1:1")
    assert (told, Notice.objects.get(source="finding:1:1").subject) == (1, "示例")
    assert [m.payload["text"] for m in mails] == [
        "示例\n\n查看与办理：http://127.0.0.1:8000/cases/finding/1/\n\n"
        "本邮件由平台自动发出，请勿回复。邮件不载明个人信息，详情请登录平台查看。\n"
    ]


@pytest.mark.django_db
def test_programme_data_are_read_in_both_languages(programme: Programme) -> None:
    condition = Condition.objects.filter(programme=programme).first()
    assert condition is not None
    with translation.override("en"):
        english = (str(condition), programme.heading)
    assert english == (condition.text_en, f"{programme.title_en} ({programme.number})")
    assert (str(condition), programme.heading) == (condition.text, f"{programme.title}（{programme.number}）")
