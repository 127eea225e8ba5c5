"""Intake: applications of providers, their files, completeness notices, acceptance, withdrawal, late admission."""
