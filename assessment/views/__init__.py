"""Pages of review and assessment that are no machine's."""
