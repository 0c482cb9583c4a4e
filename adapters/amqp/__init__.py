"""RabbitMQ: events out as CloudEvents, appeals and reports in from a queue."""
