"""HTTP against the whole product."""
