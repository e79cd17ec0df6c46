"""The Dockerfile, read: enough of its grammar for ours."""

import json
import re
from dataclasses import dataclass

from tests.deploy.servers import ROOT

DOCKERFILE = ROOT / "Dockerfile"


@dataclass(frozen=True, slots=True)
class Instruction:
    """`words`: the arguments, of a JSON array its parts; `stage`: the name after AS, or the number of the FROM."""

    stage: str
    name: str
    text: str

    @property
    def words(self) -> list[str]:
        found = re.search(r"\[.*\]$", self.text)
        if found and self.name in {"CMD", "HEALTHCHECK", "COPY"}:
            return [str(word) for word in json.loads(found[0])]
        return self.text.split()


def instructions() -> list[Instruction]:
    """Every instruction in order."""
    text = re.sub(r"^\s*#.*\n", "", DOCKERFILE.read_text(), flags=re.MULTILINE)
    text = re.sub(r"\\\n\s*", " ", text)
    found: list[Instruction] = []
    stage, count = "", 0
    for line in filter(None, map(str.strip, text.splitlines())):
        name, _, rest = line.partition(" ")
        if name == "FROM":
            stage = rest.partition(" AS ")[2] or str(count)
            count += 1
        found.append(Instruction(stage, name, rest.strip()))
    return found


def of(stage: str, *names: str) -> list[Instruction]:
    """The instructions of a stage, all or those of these names."""
    return [each for each in instructions() if each.stage == stage and (not names or each.name in names)]
