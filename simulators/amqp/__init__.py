"""A city's event bus on a real RabbitMQ: consumes our events, publishes appeals."""
