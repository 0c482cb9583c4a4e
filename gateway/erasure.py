"""Takes personal content away: by retention, and on request; the chain stays verifiable."""
