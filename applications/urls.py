"""URLs of this app."""

from django.urls import path

from applications.views import (
    check,
    files,
    form,
    prefill,
    progress,
    public,
    review,
    settings,
    uploads,
    urges,
    viewer,
)

urlpatterns = [
    path("applications/<int:pk>/form/", form.application_form, name="application_form"),
    path("applications/<int:pk>/form/<slug:section>/", form.application_section, name="application_section"),
    path("guide/form.pdf", prefill.application_form_pdf, name="application_form_pdf"),
    path("guide/form.xlsx", prefill.application_form_xlsx, name="application_form_xlsx"),
    path("guide/samples/<slug:kind>.pdf", public.material_sample, name="material_sample"),
    path("applications/<int:pk>/prefill/", prefill.application_prefill, name="application_prefill"),
    path(
        "applications/<int:pk>/prefill/form.pdf",
        prefill.application_prefill_pdf,
        name="application_prefill_pdf",
    ),
    path(
        "applications/<int:pk>/prefill/form.xlsx",
        prefill.application_prefill_xlsx,
        name="application_prefill_xlsx",
    ),
    path("applications/<int:pk>/check/", check.application_check, name="application_check"),
    path("applications/<int:pk>/receipt/", check.application_receipt, name="application_receipt"),
    path("applications/<int:pk>/receipt/proof.json", check.application_proof, name="application_proof"),
    path("applications/<int:pk>/progress/", progress.application_progress, name="application_progress"),
    path("applications/<int:pk>/files/", files.application_files, name="application_files"),
    path(
        "applications/<int:pk>/files/<int:file>/remove/",
        files.application_file_remove,
        name="application_file_remove",
    ),
    path("applications/<int:pk>/uploads/", uploads.application_upload_begin, name="application_upload_begin"),
    path("uploads/<slug:token>/", uploads.application_upload, name="application_upload"),
    path("uploads/<slug:token>/finish/", uploads.application_upload_finish, name="application_upload_finish"),
    path("application-files/<int:pk>/", files.application_file, name="application_file"),
    path("application-files/<int:pk>/pages/<int:page>/", viewer.application_page, name="application_page"),
    path("applications/<int:pk>/review/", review.application_review, name="application_review"),
    path("applications/<int:pk>/claim/", review.application_claim, name="application_claim"),
    path("settings/application-form/", settings.form_settings, name="form_settings"),
    path("check/", public.receipt_check, name="receipt_check"),
    path("check/<slug:code>/", public.receipt_check, name="receipt_check"),
    path("applications/<int:pk>/urge/", urges.application_urge, name="application_urge"),
]
