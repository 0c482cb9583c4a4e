"""Ways out that belong to no one system: web hook, file, SOAP call-back, and what a peer pulls."""
