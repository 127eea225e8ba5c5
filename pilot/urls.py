"""URLs of the portal. Every name here stands in ``policy.toml``; one that does not is closed to everybody."""

from django.urls import URLPattern, URLResolver, include, path
from django.views.i18n import set_language

from pilot.registry import all_pages
from pilot.views import cases, listing, lists, shell
from pilot.views.ui_kit import ui_kit


def machine_urls() -> list[URLPattern]:
    """List, detail, act, task and creation of every machine, named ``<slug>_list`` and so on."""
    urls: list[URLPattern] = []
    for pages in all_pages():
        slug, base = pages.slug, f"cases/{pages.slug}/"
        extra = {"slug": slug}
        urls += [
            path(base, listing.case_list, extra, name=f"{slug}_list"),
            path(f"{base}<int:pk>/", cases.case_detail, extra, name=f"{slug}_detail"),
            path(f"{base}<int:pk>/do/<slug:name>/", cases.case_act, extra, name=f"{slug}_act"),
            path(f"{base}<int:pk>/task/<slug:name>/", cases.case_task, extra, name=f"{slug}_task"),
        ]
        if pages.creation:
            urls.append(path(f"{base}new/", cases.case_create, extra, name=f"{slug}_create"))
    return urls


urlpatterns: list[URLPattern | URLResolver] = [
    path("", shell.home, name="home"),
    path("dashboard/", shell.dashboard, name="dashboard"),
    path("guide/", shell.guide, name="guide"),
    path("notices/", shell.notice_list, name="notice_list"),
    path("notices/<int:pk>/", shell.notice_read, name="notice_read"),
    path("documents/<int:pk>/", shell.document, name="document"),
    path("identity/", shell.switch_membership, name="switch_membership"),
    path("audit/", shell.audit_list, name="audit_list"),
    path("language/", set_language, name="set_language"),
    path("livez", shell.livez, name="livez"),
    path("readyz", shell.readyz, name="readyz"),
    path("_ui/", ui_kit, name="ui_kit"),
    path("_ui/<slug:sample>/", ui_kit, name="ui_kit"),
    path("account/", include("allauth.urls")),
    *machine_urls(),
    path("lists/<slug:machine>/export/", lists.list_export, name="list_export"),
    path("lists/<slug:machine>/batch/<slug:name>/", lists.list_batch, name="list_batch"),
    path("lists/<slug:machine>/views/", lists.list_views, name="list_views"),
    path("lists/<slug:machine>/views/<int:pk>/", lists.list_view, name="list_view"),
    path("exports/<int:pk>/", lists.export_detail, name="export_detail"),
    path("exports/<int:pk>/file/", lists.export_file, name="export_file"),
    path("", include("applications.urls")),
    path("", include("assessment.urls")),
    path("", include("filings.urls")),
]
