"""A simulated ПОС by pos-profile/0, which is ours: no contract of the real one is public."""
