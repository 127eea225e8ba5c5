"""Checks of what is handed in, without models."""
