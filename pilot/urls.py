"""URLs of the portal. Every name here stands in ``policy.toml``; one that does not is closed to everybody."""

from typing import Any

from django.urls import URLPattern, URLResolver, include, path
from django.utils.module_loading import import_string
from django.views.i18n import set_language

from pilot.registry import MachinePages, all_pages
from pilot.views import (
    access,
    api,
    api_keys,
    audit,
    audit_heads,
    cases,
    disclosure,
    help,
    listing,
    lists,
    notices,
    people,
    phrases,
    rules,
    shell,
    webhooks,
)
from pilot.views.ui_kit import ui_kit_page


def machine_urls() -> list[URLPattern]:
    """List, detail, act, task and creation of every machine, named ``<slug>_list`` and so on."""
    urls: list[URLPattern] = []
    for pages in all_pages():
        slug, base = pages.slug, f"cases/{pages.slug}/"
        extra = {"slug": slug}
        urls += [
            path(base, listing.case_list, extra, name=f"{slug}_list"),
            path(f"{base}<int:pk>/", _view(pages, "detail", cases.case_detail), extra, name=f"{slug}_detail"),
            path(f"{base}<int:pk>/do/<slug:name>/", cases.case_act, extra, name=f"{slug}_act"),
            path(f"{base}<int:pk>/task/<slug:name>/", cases.case_task, extra, name=f"{slug}_task"),
        ]
        if pages.creation:
            create = _view(pages, "create", cases.case_create)
            urls.append(path(f"{base}new/", create, extra, name=f"{slug}_create"))
    return urls


def _view(pages: MachinePages, name: str, generic: Any) -> Any:
    """The generic view of a machine's page, or the app's own."""
    return import_string(pages.own_views[name]) if name in pages.own_views else generic


urlpatterns: list[URLPattern | URLResolver] = [
    path("", shell.home, name="home"),
    path("dashboard/", shell.dashboard, name="dashboard"),
    path("guide/", shell.guide, name="guide"),
    path("help/", help.help_index, name="help_index"),
    path("help/<slug:name>/", help.help_topic, name="help_topic"),
    path("tour/", help.tour, name="tour"),
    path("tour/end/", help.tour_end, name="tour_end"),
    path("notices/", notices.notice_list, name="notice_list"),
    path("notices/<int:pk>/", notices.notice_read, name="notice_read"),
    path("documents/<int:pk>/", shell.document, name="document"),
    path("documents/<int:pk>/copy/", shell.document_copy, name="document_copy"),
    path("watermark.svg", shell.watermark_picture, name="watermark"),
    path("identity/", shell.switch_membership, name="switch_membership"),
    path("audit/", audit.audit_list, name="audit_list"),
    path("audit/<int:pk>/", audit.audit_detail, name="audit_detail"),
    path("audit/export/", audit.audit_export, name="audit_export"),
    path("audit/checks/", audit.audit_check_list, name="audit_check_list"),
    path("audit/checks/new/", audit.audit_check_create, name="audit_check_create"),
    path("audit/checks/<int:pk>/", audit.audit_check, name="audit_check"),
    path("audit/heads/", audit_heads.heads, name="audit_heads"),
    path("audit/heads.json", audit_heads.heads_json, name="audit_heads_json"),
    path("audit/heads.txt", audit_heads.heads_text, name="audit_heads_text"),
    path("audit/verify_audit.py", audit_heads.verifier, name="audit_verifier"),
    path("display/", shell.display_keep, name="display_keep"),
    path("language/", set_language, name="set_language"),
    path("livez", shell.livez, name="livez"),
    path("readyz", shell.readyz, name="readyz"),
    path("_ui/", ui_kit_page, name="ui_kit"),
    path("_ui/<slug:sample>/", ui_kit_page, name="ui_kit"),
    path("password/", access.password_forgotten, name="password_forgotten"),
    path("access/<slug:secret>/", access.access_link, name="access_link"),
    path("me/", access.my_account, name="my_account"),
    path("me/sessions/<int:pk>/end/", access.session_end, name="session_end"),
    path("account/", include("allauth.urls")),
    path("disclosures/", disclosure.disclosure_list, name="disclosure_list"),
    path("phrases/", phrases.phrase_list, name="phrase_list"),
    path("people/", people.person_list, name="person_list"),
    path("people/invite/", people.person_invite, name="person_invite"),
    path("people/<int:pk>/", people.person_detail, name="person_detail"),
    path("people/<int:pk>/invite/", people.person_invite_again, name="person_invite_again"),
    path("people/<int:pk>/disable/", people.person_disable, name="person_disable"),
    path("people/<int:pk>/reopen/", people.person_reopen, name="person_reopen"),
    path("people/<int:pk>/unlock/", people.person_unlock, name="person_unlock"),
    path("people/<int:pk>/sessions/", people.person_sessions, name="person_sessions"),
    *machine_urls(),
    path("lists/<slug:machine>/export/", lists.list_export, name="list_export"),
    path("lists/<slug:machine>/batch/<slug:name>/", lists.list_batch, name="list_batch"),
    path("lists/<slug:machine>/views/", lists.list_views, name="list_views"),
    path("lists/<slug:machine>/views/<int:pk>/", lists.list_view, name="list_view"),
    path("exports/<int:pk>/", lists.export_detail, name="export_detail"),
    path("exports/<int:pk>/file/", lists.export_file, name="export_file"),
    path("api/schema/", api.schema, name="api_schema"),
    path("api/explorer/", api.explorer, name="api_explorer"),
    path("api/problems/<str:code>/", api.problem, name="api_problem"),
    path("settings/rules/", rules.rule_list, name="rule_list"),
    path("settings/rules/<slug:key>/", rules.rule_detail, name="rule_detail"),
    path("settings/rules/<slug:key>/enter/", rules.rule_enter, name="rule_enter"),
    path("keys/", api_keys.key_list, name="api_key_list"),
    path("keys/new/", api_keys.key_create, name="api_key_create"),
    path("keys/<int:pk>/revoke/", api_keys.key_revoke, name="api_key_revoke"),
    path("webhooks/", webhooks.webhook_list, name="webhook_list"),
    path("webhooks/new/", webhooks.webhook_create, name="webhook_create"),
    path("webhooks/<int:pk>/", webhooks.webhook_detail, name="webhook_detail"),
    path("webhooks/<int:pk>/change/", webhooks.webhook_change, name="webhook_change"),
    path("webhooks/<int:pk>/rotate/", webhooks.webhook_rotate, name="webhook_rotate"),
    path("webhooks/<int:pk>/pause/", webhooks.webhook_act, {"name": "pause"}, name="webhook_pause"),
    path("webhooks/<int:pk>/resume/", webhooks.webhook_act, {"name": "resume"}, name="webhook_resume"),
    path("webhooks/<int:pk>/test/", webhooks.webhook_act, {"name": "test"}, name="webhook_test"),
    path("webhooks/<int:pk>/remove/", webhooks.webhook_act, {"name": "remove"}, name="webhook_remove"),
    path("webhooks/replay/<int:pk>/", webhooks.webhook_replay, name="webhook_replay"),
    path("", include("applications.urls")),
    path("", include("assessment.urls")),
    path("", include("filings.urls")),
]

handler400 = "pilot.views.api.bad_request"
handler404 = "pilot.views.api.page_not_found"
handler500 = "pilot.views.api.server_error"
