"""What the tests share: a private stack, calls, and the events that were published."""
