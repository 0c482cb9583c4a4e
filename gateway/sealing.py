"""Daily seals over messages and events, each with the one before it inside."""
