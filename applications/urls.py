"""URLs of this app."""

from django.urls import path

from applications.views import files

urlpatterns = [path("application-files/<int:pk>/", files.application_file, name="application_file")]
