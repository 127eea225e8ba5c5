"""The pages of the run phase: they open for whom they are, show what is counted, and hide what is personal."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from filings.forms.findings import FindingForm
from filings.models import Bulletin, Finding, Inspection, VerificationForm
from filings.services import bulletins, coordination, inspections, supervision
from pilot import tiles
from pilot.actors import Actor
from pilot.models import AuditEntry, Organisation, Person, PilotUnit, ProgrammeRule
from pilot.ui import Tag
from pilot.workflow import fire
from tests.applications.builders import pdf
from tests.factories import world
from tests.filings import builders

PEOPLE = ("provider", "bureau_reviewer", "bureau_lead", "ministry_officer", "ministry_approver")
FIRM = (1, "91440000MA0000001X", "示例科技有限公司")
PERSON = (2, "440101199001010011", "示例大甲")


def signed_in(actor: Actor) -> Client:
    client = Client()
    client.force_login(
        Person.objects.get(pk=actor.person_id), backend="allauth.account.auth_backends.AuthenticationBackend"
    )
    return client


def text_of(client: Client, url: str, status: int = 200) -> str:
    response = client.get(url)
    assert response.status_code == status, url
    return response.content.decode()


@pytest.fixture
def finding(unit: PilotUnit) -> Finding:
    """Two compared forms, of Guangdong and of Beijing; the first has a finding that the unit may still dispute."""
    row = builders.form(unit, "F-1", content=_content())
    builders.compared(row, builders.form(unit, "F-2", province=11, content=_content()))
    return builders.found(row, source="comparison", at=world.moment("2019-07-01 08:00"))


@pytest.fixture
def inspection(unit: PilotUnit, finding: Finding, bureau_reviewer: Actor) -> Inspection:
    """An inspection of one form that is being read."""
    planned = inspections.plan_inspection(actor=bureau_reviewer, unit=unit, period="2019-06", size=1)
    for name in ("commit", "draw", "begin"):
        planned = fire(planned, name, actor=bureau_reviewer)
    return planned


@pytest.fixture
def world_of_cases(
    unit: PilotUnit,
    finding: Finding,
    inspection: Inspection,
    provider: Actor,
    bureau_reviewer: Actor,
    ministry_officer: Actor,
    ministry_approver: Actor,
) -> dict[str, Any]:
    """One case of every machine, in a state that everybody concerned may see."""
    ProgrammeRule.objects.filter(key="sanctions").update(value=True)
    order = supervision.draft_rectification(
        actor=bureau_reviewer, unit=unit, findings=[finding], reasons="示例", measures="示例", days=10
    )
    order = fire(order, "issue", actor=world.bureau("bureau_lead"))
    sanction = supervision.propose_sanction(
        actor=ministry_officer, unit=unit, kind="suspension", grounds="示例"
    )
    sanction = fire(sanction, "notify", actor=ministry_officer)
    bureau = Organisation.objects.get(pk=bureau_reviewer.organisation_id)
    case = coordination.open_case(actor=provider, unit=unit, subject="联调", text="示例", owner=bureau)
    bulletin = bulletins.compile_bulletin(actor=ministry_officer, period="2019-06")
    for name in ("sign", "publish"):
        bulletin = fire(bulletin, name, actor=ministry_approver)
    return {c.slug(): c for c in (finding, inspection, order, sanction, case, bulletin)}


def _content() -> dict[str, Any]:
    content = builders.content(FIRM, PERSON, PERSON)
    content["principal"] |= {"mobile": "13800138000", "email": "example@example.cn"}
    content["websites"][0] |= {"site_name": "示例网站", "domain": "example.cn"}
    return content


@pytest.mark.slow
def test_every_page_opens(request: pytest.FixtureRequest, world_of_cases: dict[str, Any]) -> None:
    unit, form = PilotUnit.unscoped.get(), VerificationForm.unscoped.order_by("pk")[0]
    for who in PEOPLE:
        client = signed_in(request.getfixturevalue(who))
        for slug, case in world_of_cases.items():
            assert case.number in text_of(client, reverse(f"{slug}_detail", args=[case.pk]))
            assert "None" not in text_of(client, reverse(f"{slug}_list"))
            assert text_of(client, f"{reverse(f'{slug}_list')}?waiting=me")
        for url in (
            reverse("dashboard"),
            reverse("pilot-unit_list"),
            reverse("pilot-unit_detail", args=[unit.code]),
            reverse("verification-form_list"),
            reverse("verification-form_detail", args=[form.pk]),
        ):
            assert "None" not in text_of(client, url)


CREATIONS = [
    ("finding", "bureau_lead"),
    ("inspection", "bureau_reviewer"),
    ("rectification", "bureau_reviewer"),
    ("sanction", "bureau_lead"),
    ("coordination-case", "provider"),
    ("bulletin", "ministry_officer"),
]


@pytest.mark.usefixtures("finding")
@pytest.mark.parametrize(("slug", "who"), CREATIONS)
def test_every_case_can_be_begun(request: pytest.FixtureRequest, slug: str, who: str) -> None:
    client = signed_in(request.getfixturevalue(who))
    page = text_of(client, reverse(f"{slug}_create"))
    assert "<form" in page
    assert client.post(reverse(f"{slug}_create"), {"sent": "1"}).status_code == 422


def test_a_stored_form_is_shown_masked_and_its_reading_is_on_record(
    finding: Finding, bureau_reviewer: Actor
) -> None:
    form = VerificationForm.unscoped.order_by("pk")[0]
    page = text_of(signed_in(bureau_reviewer), reverse("verification-form_detail", args=[form.pk]))
    for shown in ("示例科技有限公司", "示**甲", "440101********0011", "138****8000", "exa***@example.cn"):
        assert shown in page
    for hidden in ("示例大甲", "440101199001010011", "13800138000", "example@example.cn", FIRM[1]):
        assert hidden not in page
    assert AuditEntry.objects.get(action="form.read").person_id == bureau_reviewer.person_id


def test_what_is_foreign_does_not_exist(world_of_cases: dict[str, Any]) -> None:
    guangdong, beijing = VerificationForm.unscoped.order_by("pk")
    stranger, neighbour = signed_in(world.provider()), signed_in(world.bureau(province=11))
    for slug in ("finding", "inspection", "rectification", "sanction", "coordination-case"):
        url = reverse(f"{slug}_detail", args=[world_of_cases[slug].pk])
        text_of(stranger, url, 404)
        text_of(neighbour, url, 404)
    for form in (guangdong, beijing):
        text_of(stranger, reverse("verification-form_detail", args=[form.pk]), 404)
    text_of(neighbour, reverse("verification-form_detail", args=[guangdong.pk]), 404)
    text_of(neighbour, reverse("verification-form_detail", args=[beijing.pk]))
    text_of(stranger, reverse("pilot-unit_detail", args=[guangdong.unit.code]), 404)


def test_a_bureau_reads_its_part_of_a_unit_of_another_province(finding: Finding) -> None:
    code = PilotUnit.unscoped.get().code
    url = reverse("pilot-unit_detail", args=[code])
    for province, figure in (
        (11, ("100.0000%", "100.0000% (0 / 1)")),
        (44, ("50.0000%", "50.0000% (1 / 2)")),
    ):
        page = signed_in(world.bureau(province=province)).get(url).context["page"]
        m1 = page.sections[0].facts[0].value
        assert (m1.shown, str(m1)) == figure


@pytest.mark.parametrize("who", PEOPLE)
def test_every_number_of_the_dashboard_opens_as_many_rows(
    request: pytest.FixtureRequest, inspection: Inspection, who: str
) -> None:
    client = signed_in(request.getfixturevalue(who))
    board = client.get(reverse("dashboard")).context["page"]
    counted = [(tile.url, tile.value) for tile in board.tiles]
    idle = tiles.idle(board)
    assert [tile.value for tile in idle] == ["0"] * (len(board.tiles) - len(tiles.leading(board)))
    for province in [tile for tile in board.provinces if tile.value != "--"]:
        if province.url.startswith("/provinces/"):  # in between stands the province's page
            forms = client.get(province.url).context["page"].tiles[0]
            assert forms.value == province.value
            counted.append((forms.url, forms.value))
        else:
            counted.append((province.url, province.value))
    assert len(counted) >= 6
    for url, value in counted:
        rows = value.rpartition("/")[2]  # "3/31" stands for 31 rows of which three have come
        assert str(client.get(url).context["page"].total) == rows, url


def test_the_dashboard_shows_both_figures_of_every_unit(finding: Finding, ministry_officer: Actor) -> None:
    (unit,) = signed_in(ministry_officer).get(reverse("dashboard")).context["page"].units
    shown = [(unit.m1_shown, unit.m1_counts), (unit.m2_shown, unit.m2_counts)]
    assert [(figure, ratio.errors.label, ratio.n.label) for figure, ratio in shown] == [
        ("50.0000%", "1", "2"),
        ("50.0000%", "1", "2"),
    ]


def test_the_dashboard_names_what_the_programme_demands(finding: Finding, ministry_officer: Actor) -> None:
    def named() -> str:
        text = text_of(signed_in(ministry_officer), reverse("dashboard"))
        return text.partition("达标线：")[2].partition("。")[0]

    rules, before = ProgrammeRule.objects.filter(key="identity_accuracy"), named()
    rules.update(value={"errors": 1, "out_of": 100})
    assert (before, named()) == ("M1 ≥99.95%，M2 100%", "M1 ≥99%，M2 100%")


def test_a_late_form_says_that_it_does_not_count(unit: PilotUnit, ministry_officer: Actor) -> None:
    def told(row: VerificationForm) -> tuple[Any, ...]:
        address = reverse("verification-form_detail", args=[row.pk])
        page = signed_in(ministry_officer).get(address).context["page"]
        (fact,) = [fact for fact in page.facts if str(fact.label) == "计入日期"]
        return fact.value, fact.hint

    late, counted = builders.form(unit, "F-1", late=True), builders.form(unit, "F-2")
    assert told(late) == (Tag("迟报，不计入", "warning"), "运行阶段结束或退出试点后收到，不计入准确率")
    assert told(counted) == (counted.day, "首个版本接收之日，不因更正改变")


def test_from_a_form_an_official_of_its_provinces_records_a_fault(
    unit: PilotUnit, provider: Actor, bureau_reviewer: Actor
) -> None:
    form = builders.form(unit, "F-1", province=11)
    address = reverse("verification-form_detail", args=[form.pk])
    begin = f"{reverse('finding_create')}?form_no=F-1&unit={unit.code}"
    readers = (bureau_reviewer, world.bureau(province=11), world.ministry(), provider)
    pages = [signed_in(reader).get(address).context["page"] for reader in readers]
    assert [[link.url for link in page.related] for page in pages] == [[begin], [begin], [begin], []]
    assert (pages[0].title, [crumb.label for crumb in pages[0].crumbs]) == ("F-1", ["首页", "核验单"])
    asked = signed_in(bureau_reviewer).get(begin).context["page"]
    assert asked.form["form_no"].value() == "F-1"
    assert asked.effect == "通知试点单位；单位可在 5 个工作日内提出异议，逾期视为确认"


def test_of_two_units_with_one_number_the_form_s_own_is_meant(unit: PilotUnit, programme: Any) -> None:
    other = builders.enrol(programme, world.provider())
    forms_of = {one: builders.form(one, "F-1") for one in (unit, other)}
    officer = world.ministry()
    words: dict[str, Any] = {
        "form_no": "F-1", "source": "report", "kind": "form", "field": "域名", "description": "示例",
    }  # fmt: skip
    for one, form in forms_of.items():
        page = signed_in(officer).get(reverse("verification-form_detail", args=[form.pk])).context["page"]
        asked = signed_in(officer).get(page.related[0].url).context["page"].form
        sent = {**words, "unit": asked["unit"].value()}
        assert asked["unit"].is_hidden
        filled = FindingForm(sent, actor=officer)
        assert (filled.is_valid(), filled.cleaned_data["form"].unit) == (True, one)
        assert "unit" not in filled.cleaned_data
    untold = FindingForm(words, actor=officer)
    assert untold.errors == {"form_no": ["没有这一编号的核验单，或编号不唯一"]}


def test_published_bulletins_are_for_everyone(
    world_of_cases: dict[str, Any], ministry_officer: Actor
) -> None:
    published = world_of_cases["bulletin"]
    world.at("2019-08-01 09:00")
    draft = bulletins.compile_bulletin(actor=ministry_officer, period="2019-07")
    client = Client()
    assert "2019-06" in text_of(client, reverse("published_bulletin"))
    page = text_of(client, reverse("published_bulletin", args=[published.pk]))
    assert "50.0000" in page
    assert Person.objects.get(pk=ministry_officer.person_id).name not in page
    text_of(client, reverse("published_bulletin", args=[draft.pk]), 404)
    assert Bulletin.unscoped.count() == 2


def test_a_dispute_with_proof_in_the_browser(finding: Finding, provider: Actor) -> None:
    client = signed_in(provider)
    url = reverse("finding_act", args=[finding.pk, "dispute_finding"])
    assert 'type="file"' in text_of(client, url)
    proof = SimpleUploadedFile("证明.pdf", pdf("proof"))
    data = {"reason": "权威库有误", "proofs": [proof], "seen": "open"}
    assert client.post(url, data).status_code == 302
    page = text_of(client, reverse("finding_detail", args=[finding.pk]))
    assert "证明" in page
    assert re.search("权威库有误", page)


@pytest.mark.parametrize("number", [1, 3])
def test_the_lists_ask_as_much_for_three_rows_as_for_one(
    unit: PilotUnit, ministry_officer: Actor, number: int, django_assert_max_num_queries: Any
) -> None:
    for n in range(number):
        row = builders.form(unit, f"F-{n}")
        builders.compared(row, outcome="mismatch")
    client = signed_in(ministry_officer)
    client.get(reverse("dashboard"))
    with django_assert_max_num_queries(40):
        client.get(reverse("verification-form_list"))
    with django_assert_max_num_queries(40):
        client.get(reverse("finding_list"))
