"""URLs of this app; every name stands in ``pilot/policy.toml``."""

from django.urls import URLPattern, URLResolver, include, path

from filings import api_docs, downloads
from filings.soap import pages as v3_pages
from filings.soap.views import v3_service
from filings.views import bulletins, faq, figures, forms, inspections, national, overview, units, uploads

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
    path("cases/upload-job/<int:pk>/repeats/", uploads.upload_repeats, name="upload-job_repeats"),
    path("cases/upload-job/<int:pk>/progress/", uploads.upload_progress, name="upload-job_progress"),
    path("cases/upload-job/<int:pk>/submit/", uploads.upload_submit, name="upload-job_submit"),
    path("cases/upload-job/templates/<slug:kind>/", downloads.template, name="upload-job_template"),
    path("cases/upload-job/pieces/", uploads.pieces_begin, name="upload-job_pieces"),
    path("cases/upload-job/pieces/<slug:key>/", uploads.piece, name="upload-job_piece"),
    path("cases/upload-job/pieces/<slug:key>/finish/", uploads.pieces_finish, name="upload-job_finish"),
    path("cases/inspection/<int:pk>/read/", inspections.inspection_read, name="inspection_read"),
    path("cases/inspection/<int:pk>/settle/", inspections.inspection_settle, name="inspection_settle"),
    path("units/", units.unit_list, name="pilot-unit_list"),
    path("units/<slug:code>/", units.unit_detail, name="pilot-unit_detail"),
    path("units/<slug:code>/scope/", units.unit_switch, name="pilot-unit_scope"),
    path("units/<slug:code>/licence/", units.unit_licence, name="pilot-unit_licence"),
    path("units/<slug:code>/national/", national.reconciliation, name="national"),
    path("units/<slug:code>/national/import/", national.import_file, name="national_import"),
    path("units/<slug:code>/national/files/<int:pk>/", national.file_detail, name="national_file"),
    path("provinces/<int:province>/", overview.province_page, name="province"),
    path("figures/<slug:code>/<slug:period>/<slug:count>/", figures.figure, name="figure"),
    path("faq/", faq.faq_list, name="faq"),
    path("forms/", forms.form_list, name="verification-form_list"),
    path("forms/<int:pk>/", forms.form_detail, name="verification-form_detail"),
    path("bulletins/", bulletins.published_bulletin, name="published_bulletin"),
    path("bulletins/<int:pk>/", bulletins.published_bulletin, name="published_bulletin"),
    path(
        "bulletins/<int:pk>/<slug:kind>/", bulletins.published_bulletin_file, name="published_bulletin_file"
    ),
]
