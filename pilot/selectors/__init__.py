"""Reads of the kernel. They take the actor where data is organisation-owned."""
