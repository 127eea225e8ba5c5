"""Pages of intake that are not generic. Shape only; law is in services and transitions."""
