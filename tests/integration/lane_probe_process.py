"""`python -m tests.integration.lane_probe_process`: the probe as a process; nothing but the runner may be imported before it patches."""

from services.common.process import run

if __name__ == "__main__":
    run("tests.integration.lane_probe", "LaneProbe")
