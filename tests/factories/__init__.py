"""Builders of test worlds; they call the services a user's click calls."""
