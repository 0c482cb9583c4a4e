"""ЕСИА: login of citizens and officials; or any provider that speaks OIDC."""
