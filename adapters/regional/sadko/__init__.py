"""ГИС САДКО.ОГ, Kaluga region: an inbox and an outbox over REST, with a token."""
