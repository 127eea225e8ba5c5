"""The pages about one's own account: where they hang, what they are called, what their fields say."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import get_resolver, reverse
from lxml import html

from pilot.actors import Actor
from pilot.enums import Role
from pilot.models import BusinessClock, Person
from tests.factories import world
from tests.pilot.accounts.helpers import browser, login, person_of
from tests.pilot.lists.helpers import find

FACTORS = ["首页", "我的账号", "多因素认证"]
PAGES = {
    "account_change_password": ["首页", "我的账号", "修改密码"],
    "mfa_index": FACTORS,
    "mfa_activate_totp": [*FACTORS, "启用动态口令"],
    "mfa_list_webauthn": [*FACTORS, "安全密钥"],
    "mfa_add_webauthn": [*FACTORS, "添加安全密钥"],
    "usersessions_list": ["首页", "我的账号", "登录会话"],
}


def texts(root: html.HtmlElement, selector: str) -> list[str]:
    return [" ".join(element.text_content().split()) for element in find(root, selector)]


@pytest.mark.parametrize(("name", "crumbs"), PAGES.items(), ids=PAGES)
def test_a_page_of_the_account_says_where_it_hangs_and_leads_back(
    provider: Actor, programme: Any, name: str, crumbs: list[str]
) -> None:
    client, _answer = login(person_of(provider).username)
    client.post(reverse("account_reauthenticate"), {"password": world.PASSWORD})
    root = html.document_fromstring(client.get(reverse(name)).content)
    assert texts(root, ".crumbs li") == crumbs
    assert texts(root, ".page-head h1") == crumbs[-1:]
    assert texts(root, "head > title") == [f"{crumbs[-1]} - 电子化核验试点管理平台"]
    back = find(root, ".page-tools a")[-1].get("href")
    assert back == find(root, ".crumbs a")[-1].get("href")
    assert find(root, "input[placeholder]") == []


def named_pages() -> list[str]:
    """The library's addresses that need nothing further."""
    names = [name for name in get_resolver().reverse_dict if isinstance(name, str)]
    return sorted(
        name
        for name in names
        if name.startswith(("account_", "mfa_", "usersessions_"))
        and not get_resolver().reverse_dict[name][0][0][1]
    )


def test_every_page_of_the_library_has_a_title_and_ends_its_crumbs(provider: Actor, programme: Any) -> None:
    """Whatever the library adds with its next version, too."""
    client, _answer = login(person_of(provider).username)
    client.post(reverse("account_reauthenticate"), {"password": world.PASSWORD})
    shown, bare = [], []
    for name in named_pages():
        answer = client.get(reverse(name))
        if answer.status_code != 200 or not answer["Content-Type"].startswith("text/html"):
            continue
        root = html.document_fromstring(answer.content)
        shown.append(name)
        if texts(root, "head > title")[0].startswith("-") or len(texts(root, ".crumbs [aria-current]")) != 1:
            bare.append(name)
    assert ("account_logout" in shown, "mfa_index" in shown, bare) == (True, True, [])


def test_the_rules_of_a_password_stand_with_its_field(provider: Actor, programme: Any) -> None:
    client, _answer = login(person_of(provider).username)
    root = html.document_fromstring(client.get(reverse("account_change_password")).content)
    rules = texts(root, "#id_password1_helptext")
    assert (rules[0].startswith("密码至少"), find(root, ".field-help ul")) == (True, [])


def test_who_has_to_say_again_who_it_is_reads_it_in_the_card(provider: Actor, programme: Any) -> None:
    root = html.document_fromstring(browser(provider).get(reverse("account_reauthenticate")).content)
    assert texts(root, ".narrow > p") == texts(root, ".narrow > .intro")
    assert texts(root, ".crumbs li") == ["首页", "我的账号", "确认身份"]
    assert [label.strip("*") for label in texts(root, ".narrow form label")] == ["密码"]


def test_second_factors_are_told_in_one_vocabulary_with_their_state(provider: Actor, programme: Any) -> None:
    root = html.document_fromstring(browser(provider).get(reverse("mfa_index")).content)
    assert texts(root, "main h2") == ["动态口令 未启用", "安全密钥 未启用", "恢复码 未生成"]
    assert texts(root, "main .button-row a") == ["启用动态口令", "添加安全密钥"]


def test_what_a_button_does_to_a_factor_is_said_in_english_too(provider: Actor, programme: Any) -> None:
    """No two of them read alike, whatever the language."""
    client = browser(provider)
    client.cookies["django_language"] = "en"
    buttons = texts(html.document_fromstring(client.get(reverse("mfa_index")).content), "main .button-row a")
    assert buttons == ["Switch on the one-time code", "Add a security key"]


def test_which_session_this_is_stands_under_a_head_of_its_own(provider: Actor, programme: Any) -> None:
    client, _answer = login(person_of(provider).username)
    root = html.document_fromstring(client.get(reverse("usersessions_list")).content)
    assert texts(root, "main th")[-2:] == ["说明", "操作"]
    assert texts(root, "main td")[-2:] == ["当前会话", "--"]


def test_real_times_are_marked_while_business_time_is_simulated(provider: Actor, programme: Any) -> None:
    client, _answer = login(person_of(provider).username)
    heads = {}
    for demo in (True, False):
        BusinessClock.objects.update(demo=demo)
        heads[demo] = [
            texts(html.document_fromstring(client.get(reverse(name)).content), "main th")[0]
            for name in ("my_account", "usersessions_list")
        ]
    assert heads == {True: ["登录时间（实际时间）"] * 2, False: ["登录时间"] * 2}


def test_people_are_found_by_login_and_office_first_who_cannot_sign_in(
    provider: Actor, programme: Any
) -> None:
    new = person_of(world.provider())
    new.set_unusable_password()
    new.save()
    client = browser(world.ministry(Role.SYSTEM_ADMIN))

    def listed(query: str) -> list[str]:
        root = html.document_fromstring(client.get(f"{reverse('person_list')}?{query}").content)
        return texts(root, "main tbody td:first-child a")

    everybody = listed("")
    assert (everybody[0], sorted(everybody)) == (
        new.username,
        sorted(Person.objects.values_list("username", flat=True)),
    )
    assert listed(f"office={provider.organisation_name}") == [person_of(provider).username]


def test_an_account_offers_what_there_is_to_do(provider: Actor, programme: Any) -> None:
    address = reverse("person_detail", args=[provider.person_id])
    guard, auditor = (browser(world.ministry(role)) for role in (Role.SECURITY_ADMIN, Role.AUDIT_ADMIN))

    def offers(client: Any) -> list[tuple[str, bool]]:
        links = find(html.document_fromstring(client.get(address).content), ".page-tools a")
        return [(link.text_content().strip(), "btn-outline-danger" in link.get("class")) for link in links]

    before = offers(guard)
    login(person_of(provider).username)
    assert before == [("变更角色", False), ("停用账号", True)]
    assert offers(guard) == [("变更角色", False), ("强制下线", False), ("停用账号", True)]
    assert offers(auditor) == [("审计记录", False)]
