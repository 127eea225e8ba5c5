"""What the acts of the run phase ask for. Shape only: transitions and services decide (house rule 5)."""
