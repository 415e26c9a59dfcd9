"""The numbers of instructions that the sampler knows are those of the interpreter."""

from __future__ import annotations

import json
import subprocess

from perftui.probes.sampler.cpython.layout import _RESUMES, _RESUMES_INLINE, _RETURNS

TELL = """
import dis, json, opcode, sys
known = dict(getattr(dis, "_all_opmap", {}))
known.update(getattr(opcode, "_specialized_opmap", {}))
known.update(opcode.opmap)
print(json.dumps([sys.version_info[1], known]))
"""
RETURNS = (
    "RETURN_VALUE", "RETURN_CONST", "INSTRUMENTED_RETURN_VALUE", "INSTRUMENTED_RETURN_CONST",
)  # fmt: skip
INLINE = "FOR_ITER_GEN", "SEND_GEN"
RESUMES = "FOR_ITER", "SEND", *INLINE, "SEND_ASYNC_GEN", "INSTRUMENTED_FOR_ITER"


def test_instructions_have_their_numbers(python: str) -> None:
    told = subprocess.run([python, "-c", TELL], capture_output=True, check=True, timeout=60)
    minor, numbers = json.loads(told.stdout)

    def of(names: tuple[str, ...]) -> set[int]:
        return {numbers[name] for name in names if name in numbers}

    assert set(_RESUMES_INLINE.get(minor, ())) == (of(INLINE) if minor > 11 else set())
    if minor > 12:
        assert set(_RESUMES[minor]) == of(RESUMES)
        assert set(_RETURNS[minor]) == (of(RETURNS) if minor < 14 else set())
    else:
        assert set(_RESUMES[minor]) == of(RESUMES[:2])
        constant = {83, 242} if minor == 12 else {83}
        assert set(_RETURNS[minor]) == constant & of(RETURNS)
