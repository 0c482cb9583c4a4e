"""Runnable peers: real HTTP processes for the demo, the tests, and an engineer who wants one."""
