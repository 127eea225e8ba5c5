"""Rules of review and assessment that need no database."""
