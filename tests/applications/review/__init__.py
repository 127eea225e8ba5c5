"""Tests of the bureau's desk: viewer, checklist, claims, workbench."""
