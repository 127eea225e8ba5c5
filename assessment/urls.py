"""URLs of this app: the published list, for everyone, the inbox of reports, and the test runs."""

from django.urls import URLPattern, path

from assessment.views import comparison, criteria, inbox, published_list, test_runs

urlpatterns: list[URLPattern] = [
    path("published-list/", published_list.published_list, name="published_list"),
    path("published-list.json", published_list.published_list_json, name="published_list_json"),
    path("published-list.csv", published_list.published_list_csv, name="published_list_csv"),
    path("published-list/<int:sequence>.pdf", published_list.published_list_pdf, name="published_list_pdf"),
    path("report-inbox/", inbox.report_inbox, name="report_inbox"),
    path("comparison/", comparison.comparison_page, name="comparison"),
    path("settings/criteria/", criteria.criteria, name="criteria"),
    path("settings/criteria/edit/", criteria.criteria_edit, name="criteria_edit"),
    path("test-runs/", test_runs.test_run_list, name="test_run_list"),
    path("test-runs/<int:pk>/", test_runs.test_run, name="test_run"),
    path("test-runs/<int:pk>/set.csv", test_runs.test_run_set, name="test_run_set"),
    path("test-runs/<int:pk>/result/", test_runs.test_run_hand_in, name="test_run_hand_in"),
]
