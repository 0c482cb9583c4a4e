"""The engineer's commands, one noun a module; `gateway.cli` assembles them."""
