"""What one job of the recording trainer (trainer.py) has left in its folder."""

import json


class Record:
    def __init__(self, folder):
        self.folder = folder

    def ranks(self, restart=0):
        """The folders of the ranks that have started."""
        return sorted(path.parent for path in self.folder.glob(f"*/run.{restart}.jsonl")
                      if self.events(path.parent, "start", restart))

    @staticmethod
    def events(rank, kind, restart=0):
        path = rank / f"run.{restart}.jsonl"
        if not path.exists():
            return []
        # the last line may still be half written
        lines = path.read_text(encoding="utf-8").split("\n")[:-1]
        return [event for event in map(json.loads, lines) if event["event"] == kind]

    def start(self, rank, restart=0):
        return self.events(rank, "start", restart)[0]

    def signals(self, rank, name, restart=0):
        return [event for event in self.events(rank, "signal", restart) if event["name"] == name]

    @staticmethod
    def saved_step(rank):
        path = rank / "checkpoint.json"
        return json.loads(path.read_text(encoding="utf-8"))["step"] if path.exists() else None

    @staticmethod
    def progress(rank):
        path = rank / "progress"
        return int(path.read_text(encoding="utf-8") or 0) if path.exists() else 0

    @staticmethod
    def last_step_at(rank):
        return (rank / "progress").stat().st_mtime

    def step_status(self, restart=0, task=""):
        """The status of srun, as the batch script wrote it down."""
        path = self.folder / f"status.{restart}{task}"
        return int(path.read_text(encoding="utf-8")) if path.exists() else None

    def story(self):
        """All of it, for the message of a failed test."""
        parts = []
        for path in sorted(self.folder.rglob("*")):
            if path.is_file():
                text = path.read_text(encoding="utf-8", errors="replace")[-3000:]
                parts.append(f"--- {path.relative_to(self.folder)}\n{text}")
        return "\n".join(parts)
