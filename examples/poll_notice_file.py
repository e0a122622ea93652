#!/usr/bin/env python3
"""A plain loop without a signal handler: it looks for the notice file between two steps and returns
what it has so far. Start it with `preempt-wrap --notice-file notice-%j.json -- ...`.
"""
import json
import os
import sys
import time

STEPS, STEP_TIME = int(os.environ.get("STEPS", 100)), 0.1
NOTICE_FILE = os.environ.get("PREEMPT_NOTICE_FILE")  # not there: we run without preempt-wrap


def notice():
    return NOTICE_FILE is not None and os.path.exists(NOTICE_FILE)


def evaluate(results):
    """Goes on where `results` end."""
    for step in range(len(results), STEPS):
        if notice():
            return {"status": "interrupted", "results": results}
        time.sleep(STEP_TIME)  # the work of one step
        results.append(step * step)
    return {"status": "complete", "results": results}


def main():
    results = []
    if os.path.exists("results.json"):
        with open("results.json") as file:
            results = json.load(file)["results"]
    print(f"evaluate: from step {len(results)}", flush=True)
    outcome = evaluate(results)
    with open("results.json.tmp", "w") as file:
        json.dump(outcome, file)
    os.rename("results.json.tmp", "results.json")
    print(f"evaluate: {outcome['status']}, {len(outcome['results'])} of {STEPS}", flush=True)
    # 0 only when the work is done; 75 is EX_TEMPFAIL, "try again".
    sys.exit(0 if outcome["status"] == "complete" else 75)


main()
