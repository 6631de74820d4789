"""Tests that need a program which requirements-dev.txt does not bring. They fail where it is
missing: `pytest -m tools`."""
