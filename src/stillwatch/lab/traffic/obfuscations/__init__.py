"""Ways to hide work: one file each."""
