"""Reads; they take the actor and apply visibility."""
