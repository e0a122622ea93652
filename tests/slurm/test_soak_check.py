#!/usr/bin/env python3
"""The soak's check finds each fault that it is there to find, in records made by hand."""

import json
import sys
import tempfile
import unittest
from pathlib import Path
from types import SimpleNamespace

from soak import Met, Soaked
from soak_check import Check, Requeues
from soak_plan import Job, Unit


def run(restart, first, last, at, saved=True):
    """A run's events: it starts at `at` with step `first`, and does a step a second."""
    events = [{"event": "start", "step": first, "time": at, "node": "n1"}]
    events += [{"event": "step", "step": step, "time": at + step - first}
               for step in range(first + 1, last + 1)]
    events += [{"event": "saved", "step": last, "time": at + last - first}] if saved else []
    return [{**event, "restart": restart} for event in events]


TWO = run(0, 0, 5, at=100) + run(1, 5, 9, at=120)
CAUSE = Met("requeue", 105)
ROWS = [  # what, events, what was met, fields of the job, done, the fault (empty: none)
    ("well", TWO, [CAUSE], {}, True, ""),
    ("unfinished", TWO, [CAUSE], {"JobState": "FAILED"}, False, "has not finished its work"),
    ("no cause", TWO, [], {}, True, "without a cause of its own"),
    ("one cause, two requeues", TWO, [CAUSE], {"Restarts": "2"}, True, "run 1 was ended"),
    ("a refused one is no cause", TWO, [Met("requeue", 105, said="no")], {}, True, "run 0 was"),
    ("a step is lost", run(0, 0, 5, at=100) + run(1, 4, 9, at=120), [CAUSE], {}, True,
     "began at step 4, saved was 5"),
    ("no time to save", run(0, 0, 5, at=100, saved=False) + run(1, 0, 9, at=120), [CAUSE], {},
     True, "had not the time to save"),
    ("two at a time", run(0, 0, 5, at=100) + run(1, 5, 9, at=103), [CAUSE], {}, True,
     "before run 0 had ended"),
    ("cancelled", run(0, 0, 5, at=100), [Met("scancel", 105)],
     {"JobState": "CANCELLED", "Restarts": "0"}, False, ""),
    ("it comes back", TWO, [Met("scancel", 105)], {}, True, "came back after its scancel"),
    ("scancel in a time limit is none", TWO,
     [Met("limit", 103), Met("scancel", 105, too_late=True)], {}, True, ""),
    ("one that Slurm took all the same", run(0, 0, 5, at=100),
     [Met("limit", 103), Met("scancel", 105, too_late=True)], {"JobState": "CANCELLED"}, False, ""),
    ("and that comes back", TWO, [Met("limit", 103), Met("scancel", 105, too_late=True)],
     {"JobState": "CANCELLED"}, False, "came back after its scancel"),
    ("cancelled by nobody", TWO, [CAUSE], {"JobState": "CANCELLED"}, True, "by whom"),
]


class Faults(unittest.TestCase):
    def faults(self, events, met, fields, done, kind="slow"):
        with tempfile.TemporaryDirectory() as name:
            rank = Path(name) / "0.0"
            rank.mkdir()
            lines = "".join(json.dumps(event) + "\n" for event in events)
            (rank / "events.jsonl").write_text(lines, encoding="utf-8")
            if done:
                (rank / "done").touch()
            unit = Soaked(Unit(Job("one", kind, "task", "now", 9)), Path(name), "7")
            unit.met = met
            job = {"JobState": "COMPLETED", "Restarts": "1", **fields}
            soak = SimpleNamespace(seen=lambda unit: job, preemptions=[])
            return Check(soak, unit, Requeues.ALWAYS).faults()

    def test_who_is_killed_within_a_save_has_the_old_checkpoint_or_the_new_one(self):
        saving = {"event": "saving", "step": 5, "time": 105, "restart": 0}
        for begin in range(7):
            with self.subTest(begin):
                events = [*run(0, 0, 5, at=100, saved=False), saving, *run(1, begin, 9, at=120)]
                found = self.faults(events, [CAUSE], {}, True, kind="ignore")
                self.assertEqual(bool(found), begin not in (0, 5), found)

    def test_each_fault_is_found_and_no_other(self):
        for what, events, met, fields, done, fault in ROWS:
            with self.subTest(what):
                found = self.faults(events, met, fields, done)
                if fault:
                    self.assertIn(fault, " ".join(found))
                else:
                    self.assertEqual(found, [])


if __name__ == "__main__":
    sys.exit(unittest.main())
