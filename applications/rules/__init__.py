"""The law of an application: its form as data, what makes it complete, what a licence must say. No models."""
