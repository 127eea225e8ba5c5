"""What the rules in data.yml have to find (ruleid) and to leave alone (ok): `semgrep --test .ci/semgrep`."""

import time
from datetime import date, datetime

from django import forms
from django.db import models
from django.utils import timezone

from pilot import clock


def moves(case, rows, state, wanted):
    # ruleid: state-assigned
    case.state = state
    # ruleid: state-assigned
    case.application.state: str = "accepted"
    # ruleid: state-assigned
    setattr(case, "state", state)
    # ok: state-assigned
    case.standing = state
    # ok: state-assigned
    state = case.state
    # ruleid: state-written-by-a-query
    rows.filter(pk=1).update(state=state)
    # ruleid: state-written-by-a-query
    rows.create(number=1, state="draft", unit=2)
    # ruleid: state-written-by-a-query
    rows.update_or_create(pk=1, defaults={"number": 1, "state": state})
    # ruleid: state-written-by-a-query
    rows.bulk_update(wanted, ["number", "state"])
    # ruleid: state-written-by-a-query
    rows.bulk_update(wanted, fields=["state"])
    # ok: state-written-by-a-query
    rows.filter(state=state).update(number=1)
    # ok: state-written-by-a-query
    rows.bulk_update(wanted, ["number"])


def looks(request, Finding):
    # ruleid: unscoped-in-a-view
    everything = Finding.unscoped.all()
    # ok: unscoped-in-a-view
    return everything & Finding.objects.visible_to(request.actor)


def asks(request, rows):
    # ruleid: request-names-columns
    rows.order_by(request.GET["sort"])
    column = request.GET.get("column", "pk")
    # ruleid: request-names-columns
    rows.values_list("pk", f"unit__{column}")
    # ruleid: request-names-columns
    rows.annotate(**{column: 1})
    # ok: request-names-columns
    rows.order_by("-pk" if request.GET.get("sort") == "newest" else "pk")
    # ok: request-names-columns
    rows.filter(number=request.GET["number"]).order_by("pk")


def compares(request, rows, model):
    # ruleid: request-as-a-condition
    rows.filter(request.GET["where"])
    # ruleid: request-as-a-condition
    rows.exclude(condition(request.POST["where"]), pk=1)
    # ok: request-as-a-condition
    rows.filter(number=request.GET["number"])
    # ruleid: raw-query
    model.objects.raw("SELECT 1")
    # ok: raw-query
    model.objects.filter(pk=1)


def unpacks(self, request, rows, service, form):
    # ruleid: request-unpacked
    rows.filter(**request.GET.dict())
    # ruleid: request-unpacked
    rows.filter(pk=1, **{key: value for key, value in self.request.query_params.items()})
    # ruleid: request-unpacked
    service(actor=request.actor, **request.POST)
    # ok: request-unpacked
    service(actor=request.actor, **form.cleaned_data)


# ruleid: model-form
class PersonForm(forms.ModelForm):
    pass


# ruleid: model-form
Made = forms.modelform_factory(models.Model)


# ok: model-form
class NamedForm(forms.Form):
    pass


def states(connection, rows):
    with connection.cursor() as cursor:
        # ruleid: sql-in-a-view
        cursor.execute("SELECT * FROM pilot_person")
        # ruleid: sql-in-a-view
        cursor.executemany("DELETE FROM pilot_person WHERE id = %s", [[1]])
    # ok: sql-in-a-view
    return rows.filter(pk=1)


def copies(connection, database, kept):
    with connection.cursor() as cursor:
        # ruleid: copy-untranslated
        with cursor.copy("COPY pilot_person FROM STDIN") as copy:
            copy.write_row([1])
    # ok: copy-untranslated
    database.copy_rows("pilot_person", {"id": "int8"}, [(1,)])
    # ok: copy-untranslated
    return kept.copy()


def tells_the_time():
    # ruleid: clock-of-its-own
    timezone.now()
    # ruleid: clock-of-its-own
    timezone.localdate()
    # ruleid: clock-of-its-own
    datetime.now(tz=timezone.utc)
    # ruleid: clock-of-its-own
    date.today()
    # ruleid: clock-of-its-own
    time.time()
    # ok: clock-of-its-own
    time.monotonic()
    # ok: clock-of-its-own
    clock.now()
    # ok: clock-of-its-own
    return clock.security_now()


def sends(load, app, outbox, form):
    # ruleid: task-past-the-outbox
    load.delay(form.pk)
    # ruleid: task-past-the-outbox
    load.apply_async(kwargs={"form": form.pk}, countdown=5)
    # ruleid: task-past-the-outbox
    app.send_task("load", kwargs={})
    # ok: task-past-the-outbox
    outbox.send("load", form=form.pk)
