"""Pages of the run phase beside those that the registry makes of a machine."""
