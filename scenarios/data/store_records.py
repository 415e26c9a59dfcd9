"""The records of the LanceDB scenarios: seeded, with vectors that have neighbours."""

from collections.abc import Iterator
from typing import Any

from perftui.scenarios.data.random_arrays import RandomArrays

_SEED = 36
_CLUSTERS = 256
BYTES_PER_RECORD = 60
"""Without the vector."""


class Records:
    """Records with a key, a reward and a vector near one of a few hundred centres."""

    def __init__(self, dim: int) -> None:
        import pyarrow
        import pyarrow.compute

        pa: Any = pyarrow
        self._pa = pa
        self._pc: Any = pyarrow.compute
        self._dim = dim
        self._random = RandomArrays(_SEED)
        self._centres = self._vectors(self._random.fractions(_CLUSTERS * dim))
        self.schema = pa.schema(
            [
                ("key", pa.int64()),
                ("reward", pa.float64()),
                ("note", pa.string()),
                ("vector", pa.list_(pa.float32(), dim)),
            ]
        )

    def batches(self, rows: int, batch: int) -> Iterator[Any]:
        """Arrow record batches; the keys count from 0."""
        pa = self._pa
        for start in range(0, rows, batch):
            n = min(batch, rows - start)
            yield pa.record_batch(
                [
                    pa.array(range(start, start + n), pa.int64()),
                    self._random.fractions(n),
                    self._random.notes(n),
                    self._near_centres(n),
                ],
                schema=self.schema,
            )

    def vector(self) -> list[float]:
        """A vector like those of the records, to search for."""
        vector: list[float] = self._near_centres(1)[0].as_py()
        return vector

    def _near_centres(self, n: int) -> Any:
        pc = self._pc
        centres = self._centres.take(self._random.integers(n, _CLUSTERS)).flatten()
        noise = self._random.fractions(n * self._dim)
        return self._vectors(pc.add(centres.cast("float64"), pc.multiply(noise, 0.5)))

    def _vectors(self, values: Any) -> Any:
        pa = self._pa
        return pa.FixedSizeListArray.from_arrays(values.cast(pa.float32(), safe=False), self._dim)
