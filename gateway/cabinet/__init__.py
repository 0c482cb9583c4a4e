"""Where people log in, submit an appeal and follow it; where officials read."""
