"""The API's door, the same for every app: keys, scopes, limits, idempotency, problems."""
