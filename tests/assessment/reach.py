"""Everything a person's browser can fetch that has to do with one assessment: statuses and words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from django.urls import reverse

from applications.models import ApplicationFile
from assessment.models import CapabilityAssessment, InterestDeclaration, Opinion, TestRun
from pilot.actors import Actor
from pilot.models import Document, Notice
from tests.applications.builders import client_of
from tests.documents import reading


def of_scores(case: CapabilityAssessment) -> Iterator[str]:
    """Pages and papers on which scores could stand."""
    for slug in ("capability-assessment", "interest-declaration"):
        yield reverse(f"{slug}_list")
    yield from map(reverse, ("dashboard", "notice_list", "criteria"))
    yield reverse("capability-assessment_detail", args=[case.pk])
    yield reverse("capability-assessment_act", args=[case.pk, "conclude"])
    for declaration in InterestDeclaration.unscoped.filter(assessment=case):
        yield reverse("interest-declaration_detail", args=[declaration.pk])
        yield reverse("interest-declaration_task", args=[declaration.pk, "submit_scores"])
    for pk in Document.objects.filter(machine=case.slug(), object_id=case.pk).values_list("pk", flat=True):
        yield reverse("document", args=[pk])


def of_everything(case: CapabilityAssessment) -> Iterator[str]:
    """Pages of the case itself, of what belongs to it, what lists it, every file and paper."""
    yield from of_scores(case)
    for slug in ("application", "opinion", "provincial-report", "approval-list"):
        yield reverse(f"{slug}_list")
    yield reverse("test_run_list")
    yield reverse("application_detail", args=[case.application_id])
    for opinion in Opinion.unscoped.filter(application=case.application_id):
        yield reverse("opinion_detail", args=[opinion.pk])
    for run in TestRun.unscoped.filter(assessment=case):
        yield reverse("test_run", args=[run.pk])
    for file in ApplicationFile.unscoped.filter(application=case.application_id):
        yield reverse("application_file", args=[file.pk])
        yield reverse("application_page", args=[file.pk, 1])
    for pk in Document.objects.exclude(machine=case.slug()).values_list("pk", flat=True):
        yield reverse("document", args=[pk])


def of(actor: Actor, addresses: Iterable[str]) -> tuple[set[str], str]:
    """The addresses that answer this actor with content, and all the words there, papers and notices included."""
    client = client_of(actor)
    opened, words = set(), []
    for address in addresses:
        answer = client.get(address)
        if answer.status_code != 200:
            continue
        opened.add(address)
        if answer["Content-Type"] == "application/pdf":
            words.append(reading.text_of(answer.getvalue()))
        elif answer["Content-Type"].startswith("text/"):
            words.append(answer.text)
    words += Notice.objects.filter(person=actor.person_id).values_list("subject", flat=True)
    return opened, "\n".join(words)
