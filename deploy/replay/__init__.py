"""`make replay`: plays dialogues through a running gateway as real clients would, and proves that nothing was lost or doubled."""
