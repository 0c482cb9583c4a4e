"""What our figures are held against: other people's servers, sinks and plain loops."""
