"""Honest traffic, ordinary and hard: one file each."""
