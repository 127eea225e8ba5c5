"""Writes that are not transitions. Keyword-only, atomic, naming the actor."""
