"""Faults under load, and the verdict on what became of everything that clients were told: `make chaos`, docs/chaos-report.md."""
