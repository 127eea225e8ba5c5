"""URLs of this app: the published list, for everyone."""

from django.urls import URLPattern, path

from assessment import views

urlpatterns: list[URLPattern] = [
    path("published-list/", views.published_list, name="published_list"),
    path("published-list.json", views.published_list_json, name="published_list_json"),
    path("published-list.csv", views.published_list_csv, name="published_list_csv"),
]
