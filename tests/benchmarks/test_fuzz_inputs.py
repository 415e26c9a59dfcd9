"""What the fuzzer tries: every kind, every command, the same for the same seed."""

from __future__ import annotations

import importlib.util
import random
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from support.recordings.made import make

from perftui.tui.parser import COMMANDS

if TYPE_CHECKING:
    from types import ModuleType

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def inputs() -> ModuleType:
    spec = importlib.util.spec_from_file_location("fuzz_inputs", BENCHMARKS / "fuzz_inputs.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["fuzz_inputs"] = module
    spec.loader.exec_module(module)
    return module


def test_every_kind_and_every_command_comes_and_a_seed_says_which(tmp_path: Path) -> None:
    fuzz = inputs()
    baseline = tmp_path / "base.json"
    baseline.write_text('{"schema": 1, "key": "python x.py", "figures": {"cpu_s": [1.0, 2.0]}}')
    good = fuzz.Good((make(tmp_path / "good.perftui", 4),), baseline)
    world = tmp_path / "world"
    kinds, commands = set(), set()
    for number in range(2):
        for kind in fuzz.KINDS:
            seen = []
            for _ in range(2):
                place = world / f"{kind.__name__}-{number}"
                place.mkdir(parents=True)
                seen.append(kind(place, good, random.Random(number)))
                for file in place.rglob("*"):
                    assert file.is_relative_to(world)
                place.rename(tmp_path / f"{kind.__name__}-{number}-{len(seen)}")
            assert seen[0] == seen[1]
            kinds.add(seen[0].kind)
    for number in range(200):
        place = tmp_path / f"o{number}"
        place.mkdir()
        commands.add(fuzz.options(place, good, random.Random(number)).words[0])
    assert kinds == {kind.__name__ for kind in fuzz.KINDS}
    assert commands == set(COMMANDS)
