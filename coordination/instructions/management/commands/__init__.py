"""Commands of the closed loop."""
