"""The pages about one's own account: where they hang, what they are called, what their fields say."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse
from lxml import html

from pilot.actors import Actor
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
    assert texts(root, "main .button-row a") == ["启用", "启用"]


def test_which_session_this_is_stands_under_a_head_of_its_own(provider: Actor, programme: Any) -> None:
    client, _answer = login(person_of(provider).username)
    root = html.document_fromstring(client.get(reverse("usersessions_list")).content)
    assert texts(root, "main th")[-2:] == ["说明", "操作"]
    assert texts(root, "main td")[-2:] == ["当前会话", "--"]
