"""The rules of assignment."""
