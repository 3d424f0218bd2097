"""Attack ourselves: generated traffic, and what our defences make of it."""
