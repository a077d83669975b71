"""What the product does under load: `make bench`, beside the raw ceilings of the same machine, as docs/load-report.md."""
