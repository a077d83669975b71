"""Presence: its rules, pure."""
