"""What `fuzz.py` tries: everything that perftui reads from somebody, spoiled in many ways.

Each of `KINDS` lays out one trial in an empty folder, and says what is run there: recordings as
folders and as zips, tables that are whole and mean nonsense, manifests, traces and their events,
SQL, options of every command, settings, programs and scenario files of one's own, baselines and the
history of results, keys on screens.
"""

from __future__ import annotations

import argparse
import io
import json
import shutil
import sys
import warnings
import zipfile
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import random
    from collections.abc import Callable
    from pathlib import Path

SQL = (
    "SELECT function, file, wall_s, cpu_s FROM top_self LIMIT 10",
    "SELECT t_s, high / 1e6 AS rss_mb FROM metrics_1s WHERE pid = 0 AND name = 'rss_bytes'",
    "SELECT * FROM stack_at(0.5)",
    "FROM top_total(0, 0.4) ORDER BY 4 DESC",
    "SELECT name, sum(duration_s) FROM phases GROUP BY ALL",
    "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT max(n) FROM r",
    "SELECT * FROM metrics a, metrics b, metrics c, metrics d",
    "COPY (SELECT 1) TO 'out.csv'",
    "COPY metrics TO '/tmp/out.parquet' (FORMAT parquet)",
    "ATTACH 'x.db'",
    "ATTACH '/tmp/x.db' AS x; CREATE TABLE x.t AS SELECT 1",
    "SELECT * FROM read_text('/etc/passwd')",
    "SELECT * FROM '/etc/passwd'",
    "SELECT * FROM read_csv_auto('https://localhost:1/x.csv')",
    "SELECT * FROM sniff_csv('/etc/passwd')",
    "SELECT * FROM read_blob('/proc/self/environ')",
    "SELECT * FROM parquet_metadata('../../*')",
    "SELECT getenv('HOME'), current_setting('home_directory')",
    "INSTALL httpfs; LOAD httpfs",
    "LOAD '/tmp/x.duckdb_extension'",
    "CREATE TABLE t AS SELECT 1",
    "CREATE SECRET s (TYPE s3, KEY_ID 'x', SECRET 'y')",
    "SET memory_limit='100GB'",
    "SET temp_directory='/tmp/spill'",
    "RESET enable_external_access; COPY (SELECT 1) TO 'out.csv'",
    "SET GLOBAL enable_external_access=true",
    "SET lock_configuration=false",
    "PRAGMA database_list",
    "PRAGMA enable_profiling='json'; PRAGMA profile_output='/tmp/prof.json'; SELECT 1",
    "EXPLAIN ANALYZE COPY (SELECT 1) TO 'out.csv'",
    "PREPARE p AS COPY (SELECT 1) TO 'out.csv'; EXECUTE p",
    "SELECT repeat('x', 1000000000)",
    "SELECT string_agg(repeat('x', 1000000), '') FROM range(100000)",
    "SELECT list(range(100000000))",
    "SELECT list(a.range) FROM range(100000) a, range(100000) b",
    "EXPORT DATABASE 'dump'",
    "CHECKPOINT",
    "VACUUM",
    "CALL pragma_version()",
    "SELECT query('COPY (SELECT 1) TO ''x''')",
    "FROM query_table('metrics')",
    "DESCRIBE metrics",
    "SHOW ALL TABLES",
)
PIECES = (
    *("SELECT", "FROM", "WHERE", "(", ")", "'", '"', ";", "--", "/*", ",", "*", "1e308", "NULL"),
    *("top_self", "stacks", "metrics", "range(1e9)", "read_csv('x')", "\x00", "é", "\udcff"),
    *("UNION ALL", "PIVOT", "::BLOB", "getenv('HOME')", "'../../x'", "glob('/*')", "$1", "?"),
    *("'inf'::DOUBLE", "'-infinity'::TIMESTAMP", "x'00ff'", "{'a': [1, {'b': NULL}]}", "MAP {}"),
    *("INTERVAL '9' YEAR", "170141183460469231731687303715884105727", "''", "now()", "E'\\x00'"),
)
VALUES = (
    *("", "-1", "0", "1e999", "nan", "inf", "-inf", "9" * 400, "../..", "/dev/null", "/dev/full"),
    *("a\nb", "é", "\x1b[31m", "--", "-", "=", "x=y", "last", "%s%n", "html", "json", "csv"),
    *("10s", "1TB", "-1GB", "1e308GB", "NUL", "{}", "[]", "'", '"', "*", "?", "~", "$HOME"),
    *("\udcff", "peak_rss>+10%", "mem_growth", "mem_growth,", "٣", "1_0", "0x10", " 1", "1,2"),
    *("\u202ex", "x" * 5000, "True", "None", "+5", "1.5.5", ".", "/", "/proc/self/mem", "load#9"),
    *("load", "load#2", "99999999999", "4294967296", "-0.0", "1e-320", "auto", "own", "diff-svg"),
)
FORMATS = (
    *("html", "speedscope", "firefox", "pprof", "chrome", "collapsed", "svg", "csv", "json"),
    *("parquet", "arrow", "markdown", "xlsx", "timeline", "diff-svg"),
)
ODD_NUMBERS = (0, -1, 1, 2**31, 2**53 + 1, 2**63 - 1, -(2**63), 10**18, 5_000_000)
ODD_FLOATS = (float("nan"), float("inf"), float("-inf"), -0.0, 1e308, -1e308, 5e-324)
ODD_TEXTS = (
    "",
    "x" * 70_000,
    "\x1b]0;x\x07",
    "=cmd|' /C calc'!A0",
    "a\nb\rc",
    "\u202e",
    "<b>",
    "é",
)
ODD_JSON = (None, True, -1, 0, 1e308, 2**70, "", "x" * 70_000, [], {}, [[[]]], "../x", float("nan"))
READERS = ("summary", "explain", "query", "export", "detect", "compare", "pack", "open")
SETTINGS = 'theme = "perftui-dark"\ncharts = "all"\nchart_rows = 4\n'
SCENARIO = '''import perftui
from typing import Literal
from perftui.scenarios.define.definition import scenario

@scenario("mine", summary="a", shows="b", requires=("json",))
def mine(rows: int = 3, how: Literal["a", "b"] = "a", share: float = 0.5, big: bool = False):
    """Load."""
    with perftui.phase("load"):
        for n in range(rows):
            with perftui.call("c"): pass
        perftui.count("rows", rows)
'''
KEYS = (
    *"abcdefghijklmnoprstuvwxyzABCDEFGHIJKLMNOPRSTUVWXYZ0123456789/?:;.,<>[]{}+-=_*!#%&()|~",
    *("\t", "\r", " ", "\x7f", "\x1b", "\x1b[A", "\x1b[B", "\x1b[C", "\x1b[D", "\x1b[5~"),
    *("\x1b[6~", "\x1b[H", "\x1b[F", "\x1b[<0;40;12M", "\x1b[<0;40;12m", "\x1b[<64;20;9M"),
    *("\x10", "\x06", "\x0c", "\x1b[200~pasted\x1b[201~", "\x1b[Z", "\x1b[1;2C", "\xff", "é"),
)


class Good(NamedTuple):
    """Recordings as perftui writes them: closed ones, and one whose writer has died."""

    folders: tuple[Path, ...]
    baseline: Path
    """As `perftui bench --save` writes it."""

    def one(self, rng: random.Random) -> Path:
        return rng.choice(self.folders)


class Trial(NamedTuple):
    """What is run."""

    kind: str
    words: list[str]
    keys: str = ""
    """Typed on a screen; "" is no screen."""
    settings: str | None = None
    """What the file of settings holds; None: there is none."""
    any_code: bool = False
    """The program of the trial may end as it likes."""


def spoiled(data: bytes, rng: random.Random) -> bytes:
    """Return bytes with some of them changed, cut, doubled or moved."""
    raw = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 5, 40))):
        at = rng.randrange(len(raw) + 1)
        how = rng.randrange(6)
        if how == 0 and raw:
            raw[at % len(raw)] ^= 1 << rng.randrange(8)
        elif how == 1:
            del raw[at : at + rng.choice((1, 8, 400))]
        elif how == 2:
            raw[at:at] = bytes(rng.randrange(256) for _ in range(rng.choice((1, 4, 64))))
        elif how == 3:
            raw[at:at] = raw[at : at + rng.choice((8, 100))] * rng.choice((1, 3))
        elif how == 4:
            raw[at : at + 4] = rng.choice((b"\xff\xff\xff\x7f", b"\x00" * 4, b"9999", b"-1e9"))
        elif rng.random() < 0.3:
            del raw[at:]
    return bytes(raw)


def spoil_files(place: Path, rng: random.Random) -> None:
    """Bytes of a file, a file gone, doubled, a folder or a link in its place."""
    for _ in range(rng.choice((1, 1, 2, 4))):
        files = sorted(f for f in place.rglob("*") if f.is_file() and not f.is_symlink())
        if not files:
            return
        file = rng.choice(files)
        how = rng.randrange(8)
        if how == 0:
            file.unlink()
        elif how == 1:
            other = rng.choice(files).read_bytes()
            file.unlink()
            file.write_bytes(other)
        elif how == 2:
            file.unlink()
            file.mkdir()
        elif how == 3:
            file.unlink()
            file.symlink_to(rng.choice(("/etc/passwd", "/dev/zero", "..", "missing")))
        else:
            file.write_bytes(spoiled(file.read_bytes(), rng))


def spoil_table(place: Path, rng: random.Random) -> None:
    """Write a table anew that is whole, with values that nobody could have measured."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    tables = sorted(place.glob("*.parquet"))
    if not tables:
        return
    file = rng.choice(tables)
    table = pq.read_table(file)
    for _ in range(rng.choice((1, 1, 3))):
        if table.num_columns == 0 or table.num_rows == 0:
            break
        at = rng.randrange(table.num_columns)
        field = table.schema.field(at)
        how = rng.randrange(10)
        if how == 0:
            table = table.remove_column(at)
        elif how == 1:
            table = pa.concat_tables([table] * rng.choice((2, 7)))
        elif how == 2:
            table = table.take(pa.array(rng.sample(range(table.num_rows), table.num_rows)))
        elif how == 3:
            table = table.slice(0, rng.randrange(table.num_rows + 1))
        else:
            values = _odd_values(table.column(at).to_pylist(), field.type, rng)
            try:
                table = table.set_column(at, field, pa.array(values, field.type))
            except (pa.ArrowException, TypeError, ValueError, OverflowError):
                continue
    pq.write_table(table, file, compression="zstd")


def _odd_values(values: list[Any], kind: Any, rng: random.Random) -> list[Any]:
    import pyarrow.types as types

    odd: tuple[Any, ...] = ODD_TEXTS
    if types.is_integer(kind):
        odd = ODD_NUMBERS
    elif types.is_floating(kind):
        odd = ODD_FLOATS
    elif types.is_boolean(kind):
        odd = (True, False)
    everywhere = rng.random() < 0.3
    share = rng.choice((0.01, 0.2, 1.0))
    one = rng.choice((*odd, None))
    some = [one if everywhere else rng.choice((*odd, None)) for _ in values]
    touched = [rng.random() < share for _ in values]
    if not any(touched):
        touched[rng.randrange(len(values))] = True
    return [new if touch else old for old, new, touch in zip(values, some, touched, strict=True)]


def spoil_json(text: str, rng: random.Random) -> str:
    """Return a JSON document that is one still, with other values, names and depths."""
    document = json.loads(text)
    for _ in range(rng.choice((1, 1, 2, 6))):
        places: list[tuple[Any, Any]] = []
        _collect(document, places)
        if not places:
            break
        holder, key = rng.choice(places)
        how = rng.randrange(6)
        if how == 0:
            del holder[key]
        elif how == 1 and isinstance(holder, dict):
            holder[rng.choice(ODD_TEXTS)[:100]] = holder.pop(key)
        elif how == 2 and isinstance(holder[key], (int, float)):
            holder[key] = rng.choice((*ODD_NUMBERS, *ODD_FLOATS, -holder[key], str(holder[key])))
        elif how == 3:
            nested: Any = holder[key]
            for _ in range(rng.choice((1, 50, 2_000))):
                nested = [nested]
            holder[key] = nested
        else:
            holder[key] = rng.choice(ODD_JSON)
    try:
        return json.dumps(document)
    except RecursionError:
        return "[" * 100_000


def _collect(node: Any, places: list[tuple[Any, Any]], depth: int = 0) -> None:
    items = node.items() if isinstance(node, dict) else enumerate(node)
    for key, value in items:
        places.append((node, key))
        if isinstance(value, (dict, list)) and len(places) < 5_000 and depth < 100:
            _collect(value, places, depth + 1)


def some_sql(rng: random.Random) -> str:
    words = rng.choice(SQL).split(" ")
    for _ in range(rng.choice((0, 0, 1, 3, 8))):
        words.insert(rng.randrange(len(words) + 1), rng.choice(PIECES))
    if rng.random() < 0.2:
        rng.shuffle(words)
    return " ".join(words).replace("\x00", " ")


def _reading(place: str, good: Good, world: Path, rng: random.Random) -> Trial:
    """One of the commands that read a recording."""
    command = rng.choice(READERS)
    if command == "open":
        return Trial("recording", [command, place], keys=some_keys(rng))
    more = {
        "summary": rng.choice(([], ["--json"])),
        "explain": rng.choice(([], ["--json"])),
        "query": [some_sql(rng), "--timeout", "5"],
        "export": ["--format", rng.choice(FORMATS), "-o", str(world / "out"), "--force"],
        "detect": rng.choice(([], ["--all"], ["--recorded"])),
        "compare": [str(good.one(rng)), "--headless", *rng.choice(([], ["--json"]))],
        "pack": ["-o", str(world / "out.zip")],
    }[command]
    return Trial("recording", [command, place, *more])


def recording(world: Path, good: Good, rng: random.Random) -> Trial:
    place = world / "bad.perftui"
    shutil.copytree(good.one(rng), place)
    how = rng.randrange(4)
    if how == 0:
        spoil_table(place, rng)
    elif how == 1:
        meta = place / "meta.json"
        meta.write_text(spoil_json(meta.read_text(), rng))
    else:
        spoil_files(place, rng)
    return _reading(str(place), good, world, rng)


def packed(world: Path, good: Good, rng: random.Random) -> Trial:
    place = world / "bad.perftui.zip"
    data = io.BytesIO()
    source = good.one(rng)
    how = rng.randrange(6)
    warnings.simplefilter("ignore")  # of names that come twice, which is the point
    method = rng.choice((zipfile.ZIP_STORED, zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))
    with zipfile.ZipFile(data, "w", method) as archive:
        for file in sorted(source.iterdir()):
            inside = rng.choice(("", f"{source.name}/")) if how == 1 else ""
            archive.write(file, inside + file.name)
        if how == 2:
            name = rng.choice(("../../evil", "/tmp/evil", "a/../../b", "x" * 60_000, "meta.json"))
            archive.writestr(name, rng.choice((b"x", b"\x00" * 100_000_000)))
        if how == 3:
            for number in range(20_000):
                archive.writestr(f"marks-{number:06}.parquet", b"")
    raw = data.getvalue()
    place.write_bytes(spoiled(raw, rng) if how > 3 else raw)
    return _reading(str(place), good, world, rng)._replace(kind="packed")


def trace(world: Path, good: Good, rng: random.Random) -> Trial:
    rows = ["t_s,rss_bytes,cpu_percent,rows,phase"]
    events = []
    rss = 5e7
    for n in range(rng.choice((3, 60, 600))):
        rss += rng.choice((0, 1e5, 1e6))
        phase = rng.choice(("load", "", "x"))
        rows.append(f"{n * 0.1:.2f},{rss:.0f},{rng.random() * 200:.1f},{n * 100},{phase}")
        if n % 5 == 0:
            name = rng.choice(("query", "import:duckdb", "é"))
            events.append(json.dumps({"t_s": n * 0.1, "name": name, "dur_s": rng.random()}))
    file = world / rng.choice(("trace.csv", "trace.csv", "trace.csv.gz", "trace.json"))
    text = "\n".join(rows) + "\n"
    if rng.random() < 0.5:
        cells = text.split(",")
        for _ in range(rng.choice((1, 3, 20))):
            cells[rng.randrange(len(cells))] = rng.choice((*VALUES, "1e308", "-1e308", "1e-320"))
        text = ",".join(cells)
        file.write_text(text, errors="surrogateescape")
    else:
        file.write_bytes(spoiled(text.encode(), rng))
    words = ["detect", str(file)]
    if rng.random() < 0.5:
        told = world / "events.jsonl"
        lines = [spoil_json(line, rng) if rng.random() < 0.1 else line for line in events]
        told.write_bytes("\n".join(lines).encode())
        if rng.random() < 0.4:
            told.write_bytes(spoiled(told.read_bytes(), rng))
        words += ["--events", str(told)]
    return Trial("trace", words + rng.choice(([], ["--all"], ["--limit", rng.choice(VALUES)])))


def sql(world: Path, good: Good, rng: random.Random) -> Trial:
    more = ["--format", rng.choice(("csv", "json", "parquet", "arrow", "table"))]
    if rng.random() < 0.3:
        more += ["-o", str(world / "out")]
    words = ["query", str(good.one(rng)), some_sql(rng), "--timeout", "5"]
    return Trial("sql", words + (more if rng.random() < 0.4 else []))


@lru_cache
def commands() -> dict[str, argparse.ArgumentParser]:
    """Return every command's parser: what options there are is asked, not remembered."""
    from perftui.tui.parser import build_parser

    for action in build_parser()._actions:
        if isinstance(action, argparse._SubParsersAction):
            return dict(action.choices)
    raise AssertionError("no commands")


def options(world: Path, good: Good, rng: random.Random) -> Trial:
    """Options of any command, with values that nobody means."""
    known = commands()
    name = rng.choice(sorted(known))
    words: list[str] = []
    actions = [a for a in known[name]._actions if a.option_strings and a.dest != "help"]
    for _ in range(rng.choice((0, 1, 2, 4)) if actions else 0):
        action = rng.choice(actions)
        word = rng.choice(action.option_strings)
        if rng.random() < 0.05:
            word = rng.choice(("--no-such", "--", "-x", word[:-1], word + "=", "--é", "-" * 9))
        words.append(word)
        if action.nargs != 0 and rng.random() < 0.95:
            choices = [str(choice) for choice in action.choices or ()]
            words.append(rng.choice((*choices, *rng.choices(VALUES, k=4), str(good.one(rng)))))
    words = [word for word in words if "\x00" not in word]
    places = [str(good.one(rng)) for _ in range(2)]
    if rng.random() < 0.2:
        places[rng.randrange(2)] = rng.choice([value for value in VALUES if value != "-"])
    anything = Trial("options", [name, *words])
    if name in ("export", "pack"):  # beside the recording, if nothing else is said
        words += ["-o", str(world / rng.choice(("out", "out.zip", "no/such/folder")))]
    if name in ("summary", "explain", "query", "export", "pack", "detect"):
        return anything._replace(words=[name, *words, places[0]])
    if name == "open":
        return anything._replace(words=[name, *words, places[0]], keys=some_keys(rng))
    if name == "compare":
        return anything._replace(words=[name, *words, *places, "--headless"])
    # What takes as long as it is told gets something short to do, and the last word on it.
    if name == "run":
        program = rng.choice(("pass", "import time; time.sleep(.3)", "print('é' * 9)", "1/0"))
        ends = ["--headless", "--duration", "3", "--", sys.executable, "-c", program]
        return anything._replace(words=[name, *words, *ends], any_code=True)
    if name in ("attach", "dump"):
        pid = rng.choice(("0", "-1", "1e9", "x", "99999999", "2147483648", "", "é", "1" * 400))
        ends = ["--headless", "--duration", "1"] if name == "attach" else []
        return anything._replace(words=[name, *words, *ends, "--", pid])
    if name == "demo":
        return anything._replace(words=[name, *words, "--list"])
    if name == "selftest":
        return anything._replace(words=[name, *words, rng.choice(VALUES) + "?"])
    if name == "bench":
        ends = ["--runs", "1", "--calls", "1", "--time-limit", "2", "--", sys.executable, "-c", "0"]
        return anything._replace(words=[name, *words, *ends])
    if name == "matrix":  # installs packages, if it is let
        return anything._replace(words=[name, *words, "--offline", "--list"])
    if name == "sweep":
        file = world / "mine.py"
        file.write_text(SCENARIO)
        over = rng.choice(("rows=1,2", "rows=1", "rows=", "=", "rows=x,y", "no=1,2", "rows=1,é"))
        ends = ["--over", over, "--doubling", "2", "--runs", "1", f"{file}:mine"]
        return anything._replace(words=[name, *words, *ends])
    if name in ("list", "doctor", "history"):
        return anything
    return anything._replace(words=[name, *words, "--no-such"])  # not known here: parsed alone


def results(world: Path, good: Good, rng: random.Random) -> Trial:
    """A baseline, or the results that were kept, of somebody's."""
    text = good.baseline.read_text()
    spoilt = spoil_json(text, rng).encode()
    if rng.random() < 0.3:
        spoilt = spoiled(spoilt, rng)
    if rng.random() < 0.4:
        folder = world / "home" / ".local" / "state" / "perftui" / "history"
        folder.mkdir(parents=True)
        line = json.dumps(json.loads(text)).encode()
        lines = [line, spoilt.replace(b"\n", b" "), line, line]
        (folder / "mine-0123456789.jsonl").write_bytes(b"\n".join(lines) + b"\n")
        key = json.loads(text)["key"]
        return Trial("results", ["history", *rng.choice(([], [key], ["--json", "-"]))])
    file = world / "base.json"
    file.write_bytes(spoilt)
    against = str(file) + rng.choice(("", "", "#", "#mine", f"#{json.loads(text)['key']}"))
    more = rng.choice(([], ["--accept"], ["--force"], ["--flat"], ["--json", "-"], ["--strict"]))
    ends = ["--runs", "1", "--time-limit", "2", "--", sys.executable, "-c", "0"]
    return Trial("results", ["bench", "--against", against, *more, *ends])


def program(world: Path, good: Good, rng: random.Random) -> Trial:
    """A scenario file of somebody's, spoiled, and parameters that it does not have."""
    file = world / rng.choice(("mine.py", "mine.py", "é x.py", "json.py"))
    text = SCENARIO
    if rng.random() < 0.7:
        text = rng.choice((text, text.replace("int = 3", rng.choice(("int", "= print", "*a")))))
        file.write_bytes(spoiled(text.encode(), rng))
    else:
        file.write_text(text)
    words = ["run", "--headless", "--no-record", "--duration", "3"]
    for _ in range(rng.choice((0, 1, 3))):
        name = rng.choice(("rows", "how", "share", "big", "no", "", "é", "__class__"))
        words += ["-p", f"{name}{rng.choice(('=', '=', ''))}{rng.choice(VALUES)}"]
    function = rng.choice(("mine", "mine", "mine", "no", "__import__", "", "é", "a.b"))
    return Trial("program", [*words, f"{file}:{function}"], any_code=True)


def some_keys(rng: random.Random) -> str:
    return "".join(rng.choice(KEYS) for _ in range(rng.choice((5, 30, 80))))


def screen(world: Path, good: Good, rng: random.Random) -> Trial:
    """A screen with settings of somebody's, and keys at random."""
    text = spoiled(SETTINGS.encode(), rng).decode("latin-1") if rng.random() < 0.6 else SETTINGS
    lines = {
        "theme": rng.choice(('"nord"', '"no-such"', "1", '""', "[]", "nan")),
        "charts": rng.choice(('"all"', '"é"', "{}", "true")),
        "chart_rows": rng.choice(("-9", "99999999999999999999", "1.5", "inf", "true", "3")),
    }
    if rng.random() < 0.4:
        text = "".join(f"{name} = {value}\n" for name, value in lines.items())
    place = good.one(rng)
    words = rng.choice(([], ["open", str(place)], ["compare", str(place), str(good.one(rng))]))
    return Trial("screen", words, keys=some_keys(rng), settings=text)


KINDS: dict[Callable[[Path, Good, random.Random], Trial], int] = {
    recording: 6,
    packed: 3,
    trace: 3,
    sql: 4,
    options: 6,
    program: 2,
    results: 2,
    screen: 1,
}
"""Each with how often it comes."""


def some_trial(world: Path, good: Good, rng: random.Random) -> Trial:
    """Lay out a trial in an empty folder."""
    [kind] = rng.choices(list(KINDS), list(KINDS.values()))
    one = kind(world, good, rng)
    return one._replace(words=[word.replace("\x00", " ") for word in one.words])
