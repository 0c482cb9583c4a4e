"""What people of a role may do; pure."""
