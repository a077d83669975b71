"""Tests of the plumbing, pure ones."""
