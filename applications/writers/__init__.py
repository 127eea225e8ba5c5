"""The application form as files to fill in away from the portal."""
