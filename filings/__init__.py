"""Run phase: verification forms, authority comparison, accuracy, inspection, supervision, bulletins."""
