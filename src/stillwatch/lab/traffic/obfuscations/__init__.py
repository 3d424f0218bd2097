"""Ways to hide work: one file each. What they share is in `frames.py`."""
