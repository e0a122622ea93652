"""The stand-in for scontrol (stand_in/scontrol) as one job sees it: its mode, and its calls."""

from dataclasses import dataclass

from fixture import HERE

PROGRAM = HERE / "stand_in" / "scontrol"  # for Cluster.provide()


@dataclass(frozen=True)
class Call:
    time: float
    pid: int
    arguments: str


class Scontrol:
    def __init__(self, folder, mode="pass"):
        """The folder is one that the jobs' user may write into."""
        self.file = folder / "scontrol.mode"
        self.log = folder / "scontrol.mode.log"
        self.env = {"PW_SCONTROL": str(self.file)}  # for Cluster.submit()
        self.set(mode)

    def set(self, mode):
        self.file.write_text(mode, encoding="utf-8")

    def mode(self):
        return self.file.read_text(encoding="utf-8")

    def calls(self, verb=""):
        """Those with this verb, or all of them, in the order of their start."""
        if not self.log.exists():
            return []
        lines = self.log.read_text(encoding="utf-8").split("\n")[:-1]
        calls = [Call(float(time), int(pid), arguments)
                 for time, pid, arguments in (line.split(" ", 2) for line in lines)]
        return [call for call in calls if verb in call.arguments.split() or not verb]
