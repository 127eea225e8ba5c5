"""URLs of this app; every name stands in ``pilot/policy.toml``."""

from django.urls import URLPattern, URLResolver, include, path

from filings import api_docs, downloads, unit_views, views
from filings.soap import pages as v3_pages
from filings.soap.views import v3_service

urlpatterns: list[URLPattern | URLResolver] = [
    path("api/v1/", include("filings.api.urls")),
    path("api/docs/", api_docs.api_docs, name="api_docs"),
    path("api/client.py", api_docs.api_client, name="api_client"),
    path("ISPWebService/upDownLoad", v3_service, name="v3_service"),
    path("v3-access/", v3_pages.overview, name="v3_access"),
    path("v3-access/on/", v3_pages.switch_on, name="v3_access_on"),
    path("v3-access/off/", v3_pages.switch_off, name="v3_access_off"),
    path("v3-access/settings/", v3_pages.configure, name="v3_access_settings"),
    path("v3-access/secret/", v3_pages.secret, name="v3_access_secret"),
    path("v3-access/rotate/", v3_pages.rotate, name="v3_access_rotate"),
    path("cases/upload-job/<int:pk>/rejects/", downloads.refused_rows, name="upload-job_rejects"),
    path("units/", unit_views.unit_list, name="pilot-unit_list"),
    path("units/<slug:code>/", unit_views.unit_detail, name="pilot-unit_detail"),
    path("units/<slug:code>/scope/", unit_views.unit_switch, name="pilot-unit_scope"),
    path("units/<slug:code>/licence/", unit_views.unit_licence, name="pilot-unit_licence"),
    path("forms/", views.form_list, name="verification-form_list"),
    path("forms/<int:pk>/", views.form_detail, name="verification-form_detail"),
    path("bulletins/", views.published_bulletin, name="published_bulletin"),
    path("bulletins/<int:pk>/", views.published_bulletin, name="published_bulletin"),
]
