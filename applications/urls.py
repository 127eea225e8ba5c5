"""URLs of this app."""

from django.urls import path

from applications import views

urlpatterns = [path("application-files/<int:pk>/", views.application_file, name="application_file")]
