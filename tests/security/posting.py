"""Posting a form as its page offers it, and the same with the name of every model field beside it (S08)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, Final

from django import forms
from django.apps import apps
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import models, transaction
from django.test import Client

from pilot.forms import LoginField, OrganisationField
from pilot.models import Person
from tests.applications.builders import pdf
from tests.factories import world

APPS: Final = ("pilot", "applications", "assessment", "filings")
# What the portal keeps of every request, whatever is in it; what is drawn by chance or follows the clock.
RECORD: Final = {"AuditEntry", "AuditSeal", "AuditHead", "OutboxMessage"}
_BY_CHANCE: Final = re.compile(
    "sha|digest|token|secret|hash|key$|password|ciphertext|object_id|session|size|message_id|seed|nonce"
)
_NUMBER: Final = re.compile(r"\d+")


def field_names() -> set[str]:
    """The name of every field of every model, as forms and as columns call it."""
    fields = [f for model in apps.get_models() for f in model._meta.get_fields()]
    return {name for field in fields for name in (field.name, getattr(field, "attname", field.name))}


def models_of_ours() -> Iterator[type[models.Model]]:
    for model in apps.get_models():
        if model._meta.app_label in APPS and model.__name__ not in RECORD:
            yield model


def newest() -> dict[Any, Any]:
    """The last number of every table, by which rows that come after are known."""
    return {
        model: model._base_manager.aggregate(last=models.Max("pk"))["last"] or 0
        for model in apps.get_models()
    }


def stored(before: dict[Any, Any]) -> dict[str, Counter[tuple[Any, ...]]]:
    """Everything in the tables but what chance and clock put there; rows that came after ``before`` have no number."""
    found = {}
    for model in models_of_ours():
        columns = [f for f in model._meta.concrete_fields if _lasting(f)]
        rows = model._base_manager.values_list(*(f.attname for f in columns))
        found[model.__name__] = Counter(
            tuple(_plain(value, before.get(f.related_model)) for f, value in zip(columns, row, strict=True))
            for row in rows.iterator()
        )
    return found


def _lasting(field: models.Field[Any, Any]) -> bool:
    chance = (models.DateTimeField, models.UUIDField, models.BinaryField)
    return not field.primary_key and not isinstance(field, chance) and not _BY_CHANCE.search(field.attname)


def _plain(value: Any, last: Any) -> Any:
    """Numbers inside of texts and of kept data follow one another from attempt to attempt, as new rows do."""
    if isinstance(value, int) and isinstance(last, int) and value > last:
        return "new"
    return value if isinstance(value, bool | int | None) else _NUMBER.sub("#", str(value))


@contextmanager
def undone() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@dataclass(frozen=True, slots=True)
class Posted:
    """What came of a post: the answer's status, and what is stored after it."""

    status: int
    after: dict[str, Counter[tuple[Any, ...]]]

    def differs(self, other: Posted) -> dict[str, Any]:
        """What stands after one of the two only: by table, the columns with either's values."""
        found: dict[str, Any] = {} if self.status == other.status else {"status": [self.status, other.status]}
        for model in models_of_ours():
            mine, theirs = (
                sorted((one.after[model.__name__] - two.after[model.__name__]).elements(), key=repr)
                for one, two in ((self, other), (other, self))
            )
            columns = [field.attname for field in model._meta.concrete_fields if _lasting(field)]
            for pair in zip_longest(mine, theirs, fillvalue=(None,) * len(columns)):
                unlike = [
                    (column, *both)
                    for column, *both in zip(columns, *pair, strict=True)
                    if both[0] != both[1]
                ]
                found.setdefault(model.__name__, []).append(unlike)
        return found


def post(client: Client, path: str, data: dict[str, Any], before: dict[Any, Any]) -> Posted:
    """Post, look, and undo it; files are made anew for every post."""
    fresh = {
        name: upload() if isinstance(value, SimpleUploadedFile) else value for name, value in data.items()
    }
    with undone():
        response = client.post(path, fresh)
        return Posted(response.status_code, stored(before))


def offered(client: Client, path: str) -> forms.BaseForm | None:
    """The form of a page, unless the page leads elsewhere or has none."""
    response = client.get(path)
    page = response.context and response.context.get("page")
    form = getattr(page, "form", None) or getattr(page, "filter_form", None)
    return form if response.status_code == 200 and isinstance(form, forms.BaseForm) else None


def upload() -> SimpleUploadedFile:
    return SimpleUploadedFile("示例.pdf", pdf("示例"))


def filled(form: forms.BaseForm) -> dict[str, Any]:
    """An answer to every field of a form: what it begins with, else the first choice or an example."""
    return {form.add_prefix(name): _answer(form, name, field) for name, field in form.fields.items()}


def _answer(form: forms.BaseForm, name: str, field: forms.Field) -> Any:
    initial = form.get_initial_for_field(field, name)
    match field:
        case forms.FileField():
            return upload()
        case forms.ModelMultipleChoiceField() | forms.MultipleChoiceField():
            return [str(value) for value, _label in _flat(field) if str(value)][:2]
        case forms.ModelChoiceField() | forms.ChoiceField():
            chosen = [str(value) for value, _label in _flat(field) if str(value)]
            return str(initial) if initial and str(initial) in chosen else next(iter(chosen), "")
        case forms.BooleanField():
            return "on"
        case OrganisationField():
            return field.known.values_list("name", flat=True)[0]
        case LoginField() if not initial:
            return Person.objects.order_by("name").values_list("username", flat=True)[0]
    if initial not in (None, ""):
        return field.prepare_value(initial) if hasattr(field, "prepare_value") else initial
    if "password" in name:
        return world.PASSWORD
    match field:
        case forms.IntegerField():
            return str(field.min_value or 1)
        case forms.DateTimeField():
            return "2019-07-02 00:00"
        case forms.DateField():
            return "2019-07-02"
        case forms.EmailField():
            return "a@example.cn"
    return "示例"


def _flat(field: Any) -> Iterator[tuple[Any, Any]]:
    for value, label in field.choices:
        if isinstance(label, list | tuple):
            yield from label
        else:
            yield value, label


def poisoned(data: dict[str, Any]) -> dict[str, Any]:
    """The same data with every other model field beside it: 1 is a number, a truth, a text and somebody's key."""
    return dict.fromkeys(sorted(field_names() - data.keys()), "1") | data


def compared(client: Client, path: str) -> tuple[Posted, dict[str, Any]] | None:
    """The post as offered, and what more the names beside it brought about; None where no form is offered."""
    form = offered(client, path)
    if form is None:
        return None
    data, before = filled(form), newest()
    plain = post(client, path, data, before)
    return plain, post(client, path, poisoned(data), before).differs(plain)
