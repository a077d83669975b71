"""The checker's larger parts, by noun."""
