"""Tests of review and assessment."""
