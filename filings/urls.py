"""URLs of this app; every name stands in ``pilot/policy.toml``."""

from django.urls import URLPattern, URLResolver, include, path

from filings import api_docs, downloads, views

urlpatterns: list[URLPattern | URLResolver] = [
    path("api/v1/", include("filings.api.urls")),
    path("api/docs/", api_docs.api_docs, name="api_docs"),
    path("api/client.py", api_docs.api_client, name="api_client"),
    path("cases/upload-job/<int:pk>/rejects/", downloads.refused_rows, name="upload-job_rejects"),
    path("units/", views.unit_list, name="pilot-unit_list"),
    path("units/<slug:code>/", views.unit_detail, name="pilot-unit_detail"),
    path("forms/", views.form_list, name="verification-form_list"),
    path("forms/<int:pk>/", views.form_detail, name="verification-form_detail"),
    path("bulletins/", views.published_bulletin, name="published_bulletin"),
    path("bulletins/<int:pk>/", views.published_bulletin, name="published_bulletin"),
]
