"""Security events as CEF to a syslog (RFC 5424)."""
