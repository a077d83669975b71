"""Messaging: channels, conversations, messages and the bots' flows."""
