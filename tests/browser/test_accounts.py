"""Accounts at the screen: a passkey as second factor, nothing typed is lost when the session ends, no barrier."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.urls import reverse
from playwright.sync_api import Page, Route, expect

from applications.models import ChecklistMark
from pilot.enums import Role
from pilot.models import Person, RoleChange
from pilot.services import people
from tests.applications import builders as intake
from tests.applications.review import papers
from tests.assessment import builders as review
from tests.browser.test_pages import faults
from tests.browser.visitor import Visitor
from tests.factories import world
from tests.factories.cases import Cast
from tests.pilot.accounts.helpers import leave_demonstration, person_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


def sign_in_again(page: Page, person: Person) -> None:
    page.get_by_label("登录名").fill(person.username)
    page.get_by_label("密码").fill(world.PASSWORD)
    page.get_by_role("button", name="登录", exact=True).click()


def with_device(page: Page) -> None:
    """The browser has a device that makes keys and finds its owner present."""
    devices = page.context.new_cdp_session(page)
    devices.send("WebAuthn.enable")
    device = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    devices.send("WebAuthn.addVirtualAuthenticator", {"options": device})


def test_what_was_typed_outlives_the_session(programme: Any, sign_in: Callable[..., Visitor]) -> None:
    """The opinion is sent after the session ended; the application stands open when the session ends by itself."""
    cast = Cast()
    pending = review.opinion_of(intake.accepted(world.provider(), cast.reviewer))
    page = sign_in(cast.reviewer).page
    desk = reverse("opinion_act", args=[pending.pk, "draft"])
    page.goto(desk)
    remark = page.locator("[name=remark]")
    remark.fill("逐项核对，材料齐全")
    page.locator("main form [type=radio]").first.check()
    Session.objects.all().delete()
    page.locator(".sticky-bar button").click()
    expect(page).to_have_url(f"{page.url.split('/account/')[0]}/account/login/?next={desk}")
    sign_in_again(page, person_of(cast.reviewer))
    expect(remark).to_have_value("")
    page.get_by_role("button", name="恢复填写的内容").click()
    expect(remark).to_have_value("逐项核对，材料齐全")
    expect(page.locator("main form [type=radio]").first).to_be_checked()
    page.get_by_role("link", name="返回").click()  # left without sending: forgotten
    page.goto(desk)
    expect(page.locator("#kept")).to_be_hidden()

    applicant = world.provider()
    draft = intake.drafted(applicant, product="")
    visitor = sign_in(applicant)
    page = visitor.page
    page.clock.install()
    page.goto(reverse("application_section", args=[draft.pk, "technology"]))
    text = page.locator("main form input[type=text], main form textarea").first
    text.fill("示例产品与技术路线")
    page.route("**/*", lambda route: route.abort() if route.request.method == "POST" else route.continue_())
    page.clock.fast_forward("28:01")
    expect(page.locator("#session-dialog")).to_be_visible()
    page.get_by_role("button", name="继续使用").click()  # one click, and nothing is lost
    expect(page.locator("#session-dialog")).to_be_hidden()
    expect(text).to_have_value("示例产品与技术路线")
    Session.objects.all().delete()
    page.clock.fast_forward("30:02")
    page.unroute("**/*")
    sign_in_again(page, person_of(applicant))
    page.get_by_role("button", name="恢复填写的内容").click()
    expect(text).to_have_value("示例产品与技术路线")


def test_signing_in_again_in_another_window_is_enough(
    programme: Any, sign_in: Callable[..., Visitor]
) -> None:
    """What a page says to do when the session ended: the page that stayed open saves, and a refusal forgets nothing."""
    applicant = world.provider()
    draft = intake.drafted(applicant, product="")
    page = sign_in(applicant).page
    page.goto(reverse("application_section", args=[draft.pk, "technology"]))
    text = page.locator("main form input[type=text], main form textarea").first
    state = page.locator("main form [data-state]").first
    Session.objects.all().delete()
    text.fill("示例技术路线")
    page.keyboard.press("Tab")
    expect(state).to_have_text("登录已失效，内容尚未保存；请在新窗口登录后返回此页")
    other = page.context.new_page()
    other.goto("/")
    sign_in_again(other, person_of(applicant))
    expect(other.locator(".actor-name")).to_have_text(applicant.name)
    other.close()
    page.bring_to_front()
    page.evaluate(
        "document.dispatchEvent(new Event('visibilitychange'))"
    )  # headless pages are always in sight
    expect(state).to_contain_text("已保存")
    page.reload()
    expect(text).to_have_value("示例技术路线")

    cast = Cast()
    pending = review.opinion_of(intake.accepted(world.provider(), cast.reviewer))
    page = sign_in(cast.reviewer).page
    page.goto(reverse("opinion_act", args=[pending.pk, "draft"]))
    remark = page.locator("[name=remark]")
    remark.fill("逐项核对，材料齐全")
    page.context.clear_cookies(name=settings.CSRF_COOKIE_NAME)
    page.locator(".sticky-bar button").click()
    expect(page.locator("main .problem-code")).to_have_text("403")
    page.go_back()
    page.get_by_role("button", name="恢复填写的内容").click()
    expect(remark).to_have_value("逐项核对，材料齐全")

    application = papers.submitted(world.provider())
    page.goto(reverse("application_review", args=[application.pk]))
    item = page.locator("[data-item]").first
    item.locator("[data-mark='2']").check()
    expect(page.locator("#review-saved")).to_have_text("已保存")
    Session.objects.all().delete()
    item.locator("[name^=text-]").fill("有效期不一致")
    page.keyboard.press("Tab")
    sign_in_again(page, person_of(cast.reviewer))
    page.get_by_role("button", name="恢复填写的内容").click()
    expect(item.locator("[name^=text-]")).to_have_value("有效期不一致")
    expect(page.locator("#review-saved")).to_have_text("已保存")
    assert ChecklistMark.unscoped.get(application=application).text == "有效期不一致"


def test_nobody_else_is_offered_it_and_signing_out_forgets(
    programme: Any, sign_in: Callable[..., Visitor]
) -> None:
    guard, other = (world.ministry(Role.SECURITY_ADMIN) for _ in range(2))
    page = sign_in(guard).page
    address = reverse("person_disable", args=[world.ministry().person_id])
    kept = "sessionStorage.getItem('kept')"
    page.goto(address)
    page.get_by_label("理由").fill("示例")
    Session.objects.all().delete()
    page.locator("main form button").click()
    sign_in_again(page, person_of(other))
    expect(page.get_by_role("heading", level=1)).to_have_text("停用账号")
    expect(page.locator("#kept")).to_be_hidden()
    assert page.evaluate(kept) is None
    page.get_by_label("理由").fill("另一人")
    page.evaluate("document.dispatchEvent(new Event('session-end'))")
    assert "另一人" in page.evaluate(kept)
    page.locator(".actor-name").click()
    page.get_by_role("button", name="退出登录").first.click()
    expect(page.get_by_label("登录名")).to_be_visible()
    assert page.evaluate(kept) is None


def test_a_passkey_signs_in_and_signs(programme: Any, sign_in: Callable[..., Visitor]) -> None:
    """Enrolled on the page, used at the next sign-in and before an act that is signed; no page has a barrier."""
    guard = world.ministry(Role.SECURITY_ADMIN)
    officer = world.ministry()
    change: RoleChange = people.request_role_change(
        actor=world.ministry(Role.SYSTEM_ADMIN),
        person=person_of(officer),
        organisation=person_of(officer).memberships.get().organisation,
        role=Role.MINISTRY_APPROVER,
        grant=True,
        reason="示例",
    )
    page = sign_in(guard).page
    found = []
    for name in ("person_list", "my_account", "mfa_index", "usersessions_list", "account_change_password"):
        page.goto(reverse(name))
        found += faults(page)
    page.goto(reverse("person_detail", args=[officer.person_id]))
    found += faults(page)
    leave_demonstration()
    page.goto("/")
    expect(page).to_have_url(page.url.split("/account/")[0] + reverse("mfa_index"))

    with_device(page)
    page.goto(reverse("mfa_add_webauthn"))
    page.locator("[name=password]").fill(world.PASSWORD)
    found += faults(page)
    page.locator("main form button[type=submit]").first.click()
    page.locator("[name=name]").fill("示例密钥")
    page.locator("#mfa_webauthn_add").click()
    expect(page.locator("main")).to_contain_text("恢复码")
    page.goto("/")
    expect(page.get_by_role("heading", level=1)).not_to_have_text("多因素认证")

    page.context.clear_cookies()
    page.goto(reverse("account_login"))
    sign_in_again(page, person_of(guard))
    page.locator("#mfa_webauthn_authenticate").click()
    expect(page.locator(".actor-name")).to_have_text(guard.name)
    act = reverse("role-change_act", args=[change.pk, "approve"])
    page.goto(act)
    found += faults(page)
    page.locator("main .card-box a", has_text="密钥").click()
    page.locator("#mfa_webauthn_reauthenticate").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("批准")
    page.locator("main form").get_by_role("button", name="批准").click()
    expect(page.locator(".notice-success")).to_have_text("已办理：批准")
    assert found == []


def test_a_key_that_fails_says_why(programme: Any, sign_in: Callable[..., Visitor]) -> None:
    """No button before the page can answer it, and no device that says no in silence."""
    officer = world.ministry()
    page = sign_in(officer).page
    with_device(page)
    page.goto(reverse("mfa_add_webauthn"))
    page.locator("[name=password]").fill(world.PASSWORD)
    held: list[Route] = []
    page.route("**/portal*.js", lambda route: held.append(route), times=1)
    page.locator("main form button[type=submit]").first.click()
    add = page.get_by_role("button", name="添加", exact=True)
    expect(add).to_be_disabled()
    held[0].continue_()
    page.get_by_label("名称").fill("示例密钥")
    add.click()
    expect(page.locator("main")).to_contain_text("恢复码")

    page.goto(reverse("mfa_add_webauthn"))
    add.click()
    expect(page.get_by_role("alert")).to_have_text("此设备上已有本账号的安全密钥，不必再添加。")
    assert faults(page) == []
    refuse = "navigator.credentials.create = () => Promise.reject(new DOMException('', 'NotAllowedError'))"
    page.evaluate(f"void ({refuse})")
    add.click()
    expect(page.get_by_role("alert")).to_have_text("未完成验证：操作已取消、超时，或设备不接受。请重试。")
