"""`python -m services.assignment`."""

from services.common.process import run

run("services.assignment.service", "AssignmentService")
