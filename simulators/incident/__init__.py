"""A simulated monitoring system: messages of social networks, and answers to them."""
