"""`python -m services.messaging`: one replica of the service."""

from services.common.process import run

if __name__ == "__main__":
    run("services.messaging.service", "MessagingService")
