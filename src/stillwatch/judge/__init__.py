"""Readings and pools to verdicts: calibrated on benign traffic, replayable, with reasons and abstentions."""
