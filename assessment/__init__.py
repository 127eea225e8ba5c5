"""Review: provincial opinions and reports, capability assessment, approval list."""
