"""URLs of this app; every name stands in ``pilot/policy.toml``."""

from django.urls import URLPattern, path

from filings import downloads, unit_views, views

urlpatterns: list[URLPattern] = [
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
