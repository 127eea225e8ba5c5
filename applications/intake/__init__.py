"""Reading filled-in forms: what stands in a file, before anyone says what it means."""
