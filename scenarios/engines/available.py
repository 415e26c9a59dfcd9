"""The engines that scenarios can be asked to use, and what is said about one that is absent."""

from __future__ import annotations

from perftui.scenarios.define.parameters import ScenarioError, nearest
from perftui.scenarios.define.requirements import install_advice, missing_modules
from perftui.scenarios.engines.queries import ENGINE_QUERIES

EXTRA_MODULES: dict[str, tuple[str, ...]] = {
    "stdlib": (),
    "pandas": ("pandas", "pyarrow"),
}
"""Modules of engines that are not just the module of their name."""
ON_LANCE_DATA = frozenset({"lance", "lancedb"})
WITHOUT_DATA = frozenset({"stdlib", "opteryx"})


def modules_of(engine: str) -> tuple[str, ...]:
    """The modules that an engine needs."""
    return EXTRA_MODULES.get(engine, (engine,))


def chosen_engines(text: str) -> list[str]:
    """Read "duckdb,polars"; "all" means every engine that is installed, and says which are not.

    Raises:
        ScenarioError: An engine that is not known, or one that is asked for and not installed.
    """
    if text == "all":
        present = [name for name in ENGINE_QUERIES if not missing_modules(modules_of(name))]
        absent = [name for name in ENGINE_QUERIES if name not in present]
        if absent:
            modules = sorted({m for name in absent for m in missing_modules(modules_of(name))})
            print(f"not installed: {', '.join(absent)}; {install_advice(modules)}")
        return [name for name in present if name not in ("stdlib", "pyarrow")]
    engines = [word.strip() for word in text.split(",") if word.strip()]
    if not engines:
        raise ScenarioError("engines is all, or names like duckdb,polars")
    for engine in engines:
        if engine not in ENGINE_QUERIES:
            known = list(ENGINE_QUERIES)
            raise ScenarioError(
                f"there is no engine {engine!r}{nearest(engine, known)}; there are "
                f"{', '.join(known)}, and all"
            )
        require_modules(f"engine {engine}", modules_of(engine))
    return list(dict.fromkeys(engines))


def require_modules(what: str, modules: tuple[str, ...]) -> None:
    """Check that what a parameter asks for is installed.

    Raises:
        ScenarioError: With the exact command that installs it.
    """
    missing = missing_modules(modules)
    if missing:
        verb = "is" if len(missing) == 1 else "are"
        raise ScenarioError(
            f"{what} needs {' and '.join(missing)}, which {verb} not installed: "
            f"{install_advice(missing)}"
        )
