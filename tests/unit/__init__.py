"""Pure and instant."""
