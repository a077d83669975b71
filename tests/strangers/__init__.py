"""Tests that look at the product as somebody would who means it harm: what may be called, by whom, and what odd input does to it."""
