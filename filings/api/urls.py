"""URLs of the API; which scope opens which method stands in ``pilot/policy.toml`` under ``[api]``."""

from django.urls import URLPattern, path

from filings.api import figures, forms

urlpatterns: list[URLPattern] = [
    path("forms/", forms.Forms.as_view(), name="api_forms"),
    path("uploads/", forms.Uploads.as_view(), name="api_upload_list"),
    path("uploads/<uuid:key>/", forms.Upload.as_view(), name="api_upload"),
    path("uploads/<uuid:key>/rejects/", forms.Rejects.as_view(), name="api_upload_rejects"),
    path("accuracy/", figures.Accuracy.as_view(), name="api_accuracy"),
    path("findings/", figures.Findings.as_view(), name="api_findings"),
    path("rectifications/", figures.Rectifications.as_view(), name="api_rectifications"),
    path("unit/", figures.Unit.as_view(), name="api_unit"),
]
