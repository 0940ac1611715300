"""Reward detectors that look at pictures, and what they are worth against physics."""
