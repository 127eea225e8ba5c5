"""Retention: a destroyed month never opens again, what lies beside it is swept, and no figure changes."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from threading import Timer
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.urls import reverse

from filings.enums import FindingSource, InspectionState
from filings.models import (
    Determination,
    Finding,
    FindingCause,
    FormPicture,
    FormRefusal,
    Inspection,
    InspectionItem,
    NationalFile,
    PictureContent,
    Rectification,
    UnitMonthKey,
    UploadJob,
    V3Upload,
    VerificationForm,
)
from filings.services import (
    comparison,
    crypto,
    deltas,
    figures,
    rejects,
    retention,
    spool,
    storage,
    uploads,
    v3_results,
)
from filings.services.findings import report_finding
from filings.synthetic import make_forms
from filings.v3.package import Secret
from pilot import clock
from pilot.errors import ContentDestroyed, Refused
from pilot.models import AuditEntry, Document, Objection, Person, ProgrammeRule
from pilot.services import documents
from pilot.workflow import open_case
from tests.factories import world
from tests.factories.audited import audited
from tests.filings import builders
from tests.filings.api.caller import Caller, issued

pytestmark = pytest.mark.django_db
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
WORDS = "主体负责人示例甲的证件照片与本人不符"


@pytest.fixture(autouse=True)
def files_of_its_own(settings: Any, tmp_path: Path) -> None:
    settings.VAR, settings.MEDIA_ROOT = tmp_path / "var", tmp_path / "media"


def sent(unit: Any, received: str, seed: int) -> Any:
    """Three good forms and a refused row, handed in and compared."""
    span = {
        "collected_from": world.moment(f"{received[:7]}-01 00:00"),
        "collected_to": world.moment(f"{received[:7]}-02 00:00"),
    }
    rows = [form.record for form in make_forms(4, unit_code=unit.code, seed=seed, **span)]
    rows[3]["verifier_name"] = ""
    job = uploads.receive_upload(
        actor=builders.SYSTEM,
        unit=unit,
        source=io.BytesIO(b"".join(json.dumps(row).encode() + b"\n" for row in rows)),
        name="示例甲.ndjson",
        received_at=world.moment(received),
    )
    job = uploads.process(job_id=job.pk)
    assert (job.state, job.accepted, job.rejected_rows) == ("done", 3, 1)
    comparison.compare_everything(unit=unit)
    return job


@pytest.fixture
def june(unit: Any) -> Any:
    """June's upload beside July's, on 1 August 2019."""
    world.at("2019-08-01 09:00")
    job = sent(unit, "2019-06-18 10:00", 1)
    sent(unit, "2019-07-18 10:00", 2)
    return job


def destroy(unit: Any, *options: str, month: str = "2019-06") -> Any:
    out = io.StringIO()
    call_command("destroy_month", "--unit", unit.code, "--month", month, "--json", *options, stdout=out)
    return json.loads(out.getvalue())


@pytest.fixture
def no_scrub(monkeypatch: pytest.MonkeyPatch) -> None:
    """The test's transaction stands in the way of rewriting a table."""
    monkeypatch.setattr("filings.services.retention.scrub", lambda: None)


FORCED = ("--force", "--reason", "试点结束，提前销毁")


def months(unit: Any) -> list[Any]:
    return [
        figures.figures(unit=unit, period=period, recount=True) | {"as_of": None}
        for period in ("2019-06", "2019-07", "to-date")
    ]


def described(form: VerificationForm, officer: Any) -> Finding:
    """A finding in an official's own words, disputed with a proof, settled."""
    finding = report_finding(actor=officer, form=form, field="principal", kind="identity", description=WORDS)
    Finding.unscoped.filter(pk=finding.pk).update(dispute=WORDS)
    proof = documents.keep(case=finding, kind="proof", title="证明", content=b"%PDF- proof")
    assert documents.path_of(proof.sha256).exists()
    builders.decide(finding, "disputed", "upheld")
    return finding


def drawn(form: VerificationForm, officer: Any, *states: str) -> Inspection:
    """An inspection of the form's month that drew it, with a remark."""
    inspection = Inspection(
        unit=form.unit,
        organisation_id=officer.organisation_id,
        period="2019-06",
        size=1,
        planned_by_id=officer.person_id,
    )
    inspection.case_key = form.uuid
    open_case(inspection, actor=officer)
    with deltas.recorded(unit_id=form.unit_id, chains=[form.chain_no]):
        InspectionItem.unscoped.create(
            inspection=inspection, form=form, rank=1, identity_right=True, form_right=True, remark=WORDS
        )
        for state in states:
            Inspection.unscoped.filter(pk=inspection.pk).update(state=state)
    return inspection


THROUGH = ("committed", "drawn", "in_progress", "concluded")


def test_a_month_is_destroyed_and_its_figures_stay(
    unit: Any, june: Any, bureau_reviewer: Any, no_scrub: None
) -> None:
    form = VerificationForm.unscoped.filter(job=june).order_by("pk")[0]
    key = form.key
    finding = described(form, bureau_reviewer)
    drawn(form, bureau_reviewer, *THROUGH)
    content = PictureContent.objects.create(
        key=key, sha256="0" * 64, sealed=crypto.seal(storage.data_key(key), bytes(32), b"picture")
    )
    FormPicture.objects.create(
        unit=unit,
        form_no=form.form_no,
        use="1",
        format="jpg",
        owner_kind="subject",
        owner="1",
        content=content,
    )
    before, wrapped = months(unit), bytes(key.wrapped)

    listed = destroy(unit, "--list", "--force")
    assert listed["obstacles"] == []
    assert UnitMonthKey.objects.get(pk=key.pk).destroyed_at is None
    done = destroy(unit, *FORCED)
    assert done["swept"] == listed["swept"] == {
        "forms": 3,
        "supplements": 0,
        "blind_indexes": 3,
        "subject_references": 0,
        "pictures": 1,
        "v3_record_ids": 0,
        "finding_texts": 1,
        "inspection_remarks": 1,
        "cause_texts": 0,
        "order_texts": 0,
        "national_file_names": 0,
        "file_names": 1,
        "spooled_files": 1,
        "proofs": 1,
    }  # fmt: skip

    gone = UnitMonthKey.objects.get(pk=key.pk)
    assert (bytes(gone.wrapped), gone.destroyed_at is not None) == (b"", True)
    for lost in VerificationForm.unscoped.filter(job=june).select_related("key"):
        with pytest.raises(ContentDestroyed):
            storage.open_form(lost)
        assert bytes(lost.subject_index) == b""
    assert (PictureContent.objects.count(), FormPicture.objects.count()) == (0, 0)
    finding.refresh_from_db()
    assert (finding.description, finding.dispute) == ("内容已销毁", "内容已销毁")
    assert InspectionItem.unscoped.get().remark == "内容已销毁"
    assert not spool.folder(june.case_key).exists()
    assert not rejects.available(june)
    assert UploadJob.unscoped.get(pk=june.pk).source_name == "内容已销毁"
    assert not documents.path_of(Document.objects.get(kind="proof").sha256).exists()
    assert audited("document.destroy") == (
        "done",
        None,
        "document",
        str(Document.objects.get(kind="proof").pk),
    )

    assert months(unit) == before
    assert FormRefusal.unscoped.filter(job=june).count() == 1
    july = VerificationForm.unscoped.select_related("key").exclude(job=june)[0]
    assert storage.open_form(july)["form_no"] == july.form_no
    assert storage.rewrap_keys() == 0
    entry = AuditEntry.objects.get(action="unit-month.destroy")
    assert entry.detail == {
        "unit": unit.code,
        "month": "2019-06",
        "reason": "试点结束，提前销毁",
        "forced": True,
        "swept": done["swept"],
    }
    assert wrapped.hex() not in json.dumps(entry.detail)

    again = destroy(unit, *FORCED)
    assert again["destroyed_at"] == done["destroyed_at"]
    assert again["swept"] == {**dict.fromkeys(done["swept"], 0), "forms": 3}


def test_pages_lists_exports_and_the_interface_say_so(
    unit: Any, june: Any, bureau_reviewer: Any, no_scrub: None
) -> None:
    form = VerificationForm.unscoped.filter(job=june).order_by("pk")[0]
    finding = described(form, bureau_reviewer)
    destroy(unit, *FORCED)
    client = Client()
    client.force_login(Person.objects.get(pk=bureau_reviewer.person_id), backend=BACKEND)
    page = client.get(reverse("verification-form_detail", args=[form.pk]))
    assert page.status_code == 200
    text = page.content.decode()
    assert (text.count("内容已销毁") >= 1, form.form_no in text, WORDS in text) == (True, True, False)
    page = client.get(reverse("finding_detail", args=[finding.pk]))
    assert (page.status_code, "内容已销毁" in page.content.decode()) == (200, True)
    assert client.get(reverse("verification-form_list")).status_code == 200
    rejected = Caller(issued(unit).secret).get(f"uploads/{june.case_key}/rejects/")
    assert (rejected.status_code, rejected.json()["code"]) == (410, "content.destroyed")
    proof = Document.objects.get(kind="proof")
    answer = client.get(reverse("document", args=[proof.pk]))
    assert (answer.status_code, "内容已销毁" in answer.content.decode()) == (410, True)


def test_the_ids_of_a_v3_file_go_and_its_result_still_leaves(unit: Any, no_scrub: None) -> None:
    """Files that came by the V3.0 service, one taken and one refused at its head; July's stay as they are."""
    world.at("2019-08-01 09:00")
    for number, month in ((1, 6), (2, 6), (3, 7)):
        received = world.moment(f"2019-0{month}-18 10:00")
        job = builders.job(unit, received) if number != 2 else None
        if job is not None:
            spool.write_upload(job.case_key, io.BytesIO(b"a file"))
            spool.keep_package(job.case_key)
        V3Upload.unscoped.create(
            unit=unit,
            sequence=number,
            job=job,
            refusal=None if job else 5001,
            digest="0" * 64,
            package_digest="-",
            cipher=0,
            records=[[2, "粤ICP备12345678号"], [2, ""]],
            received_at=received,
        )
    for state in ("processing", "done"):
        UploadJob.unscoped.update(state=state)
    swept = destroy(unit, *FORCED)["swept"]
    assert (swept["v3_record_ids"], swept["spooled_files"]) == (2, 2)
    uploads_of = V3Upload.unscoped.order_by("sequence")
    assert [one.records for one in uploads_of] == [[[2, ""], [2, ""]]] * 2 + [
        [[2, "粤ICP备12345678号"], [2, ""]]
    ]
    package = v3_results.result_package(uploads_of[0], Secret("", "", ""))
    assert "<Bs>" not in zipfile.ZipFile(io.BytesIO(package.content)).read("BAJG_1001_00000001.xml").decode(
        "gbk"
    )
    assert spool.folder(uploads_of[2].job.case_key).exists()
    assert not spool.folder(uploads_of[0].job.case_key).exists()
    assert destroy(unit, *FORCED)["swept"]["v3_record_ids"] == 0


def test_nothing_more_is_entered_or_compared_in_a_destroyed_month(
    unit: Any, june: Any, no_scrub: None
) -> None:
    late = uploads.receive_upload(
        actor=builders.SYSTEM,
        unit=unit,
        source=io.BytesIO(b'{"form_no":"A"}\n'),
        name="a.ndjson",
        received_at=world.moment("2019-06-30 12:00"),
    )
    with pytest.raises(CommandError, match="有 1 个上报批次尚未处理完"):
        destroy(unit, *FORCED)
    uploads.process(job_id=late.pk)
    destroy(unit, *FORCED)
    with pytest.raises(Refused, match="该月的核验单内容已销毁"):
        uploads.receive_upload(
            actor=builders.SYSTEM,
            unit=unit,
            source=io.BytesIO(b"{}\n"),
            name="a.ndjson",
            received_at=world.moment("2019-06-01 00:00"),
        )
    answers = Determination.unscoped.count()
    assert comparison.compare_again(unit=unit) == 0
    assert comparison.compare_everything(unit=unit) == 0
    assert Determination.unscoped.count() == answers


@pytest.mark.usefixtures("no_scrub")
def test_what_forbids_it_is_named(unit: Any, june: Any, bureau_reviewer: Any, programme: Any) -> None:
    with pytest.raises(CommandError, match="说明销毁的理由"):
        destroy(unit, "--force")
    with pytest.raises(CommandError, match="保存期限（730 天）未满，2021-06-30 起才能销毁"):
        destroy(unit, "--reason", "期满")
    rule = ProgrammeRule.objects.get(programme=programme, key="retention_days")
    assert rule.basis.startswith("部内工作规则")
    rule.delete()
    with pytest.raises(CommandError, match="没有规定保存期限"):
        destroy(unit, "--reason", "期满")
    ProgrammeRule.objects.create(programme=programme, key="retention_days", value=33, basis="部内工作规则")
    with pytest.raises(CommandError, match="保存期限（33 天）未满，2019-08-03 起才能销毁"):
        destroy(unit, "--reason", "期满")
    with pytest.raises(CommandError, match="当月尚未结束"):
        destroy(unit, *FORCED, month="2019-08")
    for month in ("2019-6", "2019-06-18", "to-date"):
        with pytest.raises(CommandError, match="月份应写作 2019-06"):
            destroy(unit, *FORCED, month=month)

    form, other = VerificationForm.unscoped.filter(job=june).order_by("pk")[:2]
    finding = builders.found(form, source=FindingSource.REPORT)
    inspection = drawn(other, bureau_reviewer)
    objection = Objection(
        programme=programme,
        against_machine="finding",
        against_id=finding.pk,
        against_state="open",
        organisation_id=unit.organisation_id,
        province=44,
        grounds="示例",
        case_key=form.uuid,
    )
    open_case(objection, actor=builders.SYSTEM)
    listed = destroy(unit, "--list", "--force")["obstacles"]
    assert listed == ["有 1 条差错尚未办结", "有 1 项抽查尚未办结", "有 1 件申诉尚未办结"]
    with pytest.raises(CommandError, match="；".join(listed)):
        destroy(unit, *FORCED)

    builders.decide(finding, "confirmed")
    with deltas.recorded(unit_id=unit.pk, chains=[form.chain_no]):
        for state in (*THROUGH[:3], InspectionState.CANCELLED):
            Inspection.unscoped.filter(pk=inspection.pk).update(state=state)
    for state in ("under_review", "dismissed"):
        decided = {"reviewer": world.ministry().person_id, "finding": "示例"}
        Objection.unscoped.filter(pk=objection.pk).update(state=state, **decided)
    assert destroy(unit, "--list", "--force")["obstacles"] == []
    world.at("2019-08-03 00:00")
    assert destroy(unit, "--reason", "期满")["forced"] is False


def test_forms_not_compared_yet_forbid_it(unit: Any) -> None:
    builders.form(unit, "A-1", "2019-06-18 10:00")
    builders.form(unit, "A-2", "2019-06-18 10:00", subject_known=False)
    assert destroy(unit, "--list", "--force")["obstacles"] == [
        "有 1 个上报批次尚未处理完",
        "有 1 份核验单尚未比对",
    ]


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "work", ["SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; SELECT 1", "SELECT pg_current_xact_id()"]
)
def test_the_files_of_the_database_hold_the_key_no_more(
    unit: Any, work: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever reads or writes meanwhile is waited for."""
    # The suite's other processes write in databases of their own on the same server, some for minutes.
    monkeypatch.setattr(retention, "PATIENCE", 600.0)
    form = builders.form(unit, "A-1", "2019-06-18 10:00")
    builders.compared(form)
    for state in ("processing", "done"):
        UploadJob.unscoped.update(state=state)
    wrapped = bytes(form.key.wrapped)

    def stored() -> bytes:
        with connection.cursor() as cursor:
            cursor.execute("CHECKPOINT")
            cursor.execute("SELECT pg_read_binary_file(pg_relation_filepath('filings_unitmonthkey'))")
            return bytes(cursor.fetchone()[0])

    assert wrapped in stored()
    other = connection.copy()
    other.set_autocommit(False)
    with other.cursor() as cursor:
        cursor.execute(work)
    done = Timer(1.0, other.connection.rollback)  # soon
    done.start()
    destroy(unit, *FORCED)
    done.join()
    other.close()
    assert wrapped not in stored()


def test_a_job_that_meets_a_destroyed_month_ends_in_words(unit: Any, june: Any, no_scrub: None) -> None:
    """Only a race could bring it there: the receipt is refused and the destruction waits for open jobs."""
    job = uploads.receive_upload(
        actor=builders.SYSTEM,
        unit=unit,
        source=io.BytesIO(b'{"form_no":"A"}\n'),
        name="a.ndjson",
        received_at=world.moment("2019-06-30 12:00"),
    )
    UnitMonthKey.objects.filter(month="2019-06-01").update(wrapped=b"", destroyed_at=job.received_at)
    job = uploads.process(job_id=job.pk)
    assert (job.state, job.fault) == ("failed", "内容已销毁")


def test_words_about_several_months_go_with_the_last(unit: Any, june: Any, no_scrub: None) -> None:
    """A cause and an order about June and July: they stay while July does. A file's name goes with its month."""
    both = [form_of(unit, month) for month in (6, 7)]
    found = [builders.found(form, source=FindingSource.REPORT) for form in both]
    for finding in found:
        builders.decide(finding, "confirmed")
    cause = FindingCause.unscoped.create(unit=unit, text=WORDS, recorded_at=clock.now())
    Finding.unscoped.filter(pk__in=[finding.pk for finding in found]).update(cause=cause)
    order = Rectification(
        unit=unit, reasons=WORDS, measures=WORDS, days=5, answer_text=WORDS, case_key=both[0].uuid,
        drafted_by_id=world.bureau().person_id,
    )  # fmt: skip
    open_case(order, actor=builders.SYSTEM)
    order.findings.set(found)
    Rectification.unscoped.filter(pk=order.pk).update(state="cancelled")
    for form in both:
        facts = {"counts": {}, "refused": [], "imported_at": form.received_at, "sha256": str(form.pk)}
        NationalFile.unscoped.create(unit=unit, name=WORDS, key=form.key, **facts)
    kept = ("cause_texts", "order_texts", "national_file_names")

    def words() -> list[str]:
        order.refresh_from_db()
        cause.refresh_from_db()
        names = NationalFile.unscoped.order_by("imported_at").values_list("name", flat=True)
        return [cause.text, order.reasons, order.measures, order.answer_text, *names]

    gone = "内容已销毁"
    swept = destroy(unit, *FORCED)["swept"]
    assert ([swept[name] for name in kept], words()) == ([0, 0, 1], [WORDS] * 4 + [gone, WORDS])
    swept = destroy(unit, *FORCED, month="2019-07")["swept"]
    assert ([swept[name] for name in kept], words()) == ([1, 1, 1], [gone] * 6)
    swept = destroy(unit, *FORCED, month="2019-07")["swept"]
    assert [swept[name] for name in kept] == [0, 0, 0]
    with pytest.raises(DatabaseError), transaction.atomic():
        FindingCause.unscoped.update(text="x")


def form_of(unit: Any, month: int) -> VerificationForm:
    form: VerificationForm = VerificationForm.unscoped.filter(unit=unit, received_at__month=month)[0]
    return form


# --- what the law of the tables lets through -----------------------------------------------------------
def test_only_the_blind_index_of_a_destroyed_month_may_go(unit: Any) -> None:
    form = builders.form(unit, "A-1", "2019-06-18 10:00")

    def refused(**change: Any) -> bool:
        try:
            with transaction.atomic():
                VerificationForm.unscoped.filter(pk=form.pk).update(**change)
        except DatabaseError:
            return True
        return False

    assert refused(subject_index=b"")
    UnitMonthKey.objects.update(wrapped=b"", destroyed_at=form.received_at)
    assert refused(subject_index=b"x")
    assert refused(subject_index=b"", late=True)
    assert refused(late=True)
    assert not refused(subject_index=b"")
    with pytest.raises(DatabaseError), transaction.atomic():
        UnitMonthKey.objects.update(wrapped=b"x")
