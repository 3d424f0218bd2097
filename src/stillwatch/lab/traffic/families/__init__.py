"""What harvesters ask for: one file a family (DESIGN section 8)."""
