"""Ordinary command lines of people who work with data: nothing in them is a secret."""

from __future__ import annotations

import random
import uuid
from hashlib import sha1, sha256

TABLES = (
    "orders",
    "tokens",
    "password_resets",
    "auth_events",
    "sessions",
    "trips",
    "secrets_audit",
)
COLUMNS = ("id", "token", "password_hash", "amount", "auth_method", "created_at", "key", "author")
FOLDERS = (
    "/home/x",
    "/data/lake",
    "s3://bucket/key",
    "gs://b/auth",
    "~/work",
    "./out",
    "/mnt/nvme0",
)
FILES = (
    *("secrets.py", "tokenize.py", "load.py", "train.py", "passwords_test.py", "auth.py", "etl.py"),
    *(
        "token_stats.py",
        "key_value.py",
        "session.py",
        "cookie_monster.py",
        "compass.py",
        "bench.py",
    ),
)
NUMBER_FLAGS = (
    *("--token-count", "--max-tokens", "--passes", "--num-tokens", "--max-new-tokens", "--rows"),
    *(
        "--batch-size",
        "--tokens-per-batch",
        "--key-length",
        "--password-length",
        "--session-timeout",
    ),
    *(
        "--min-token-len",
        "--auth-timeout",
        "--keys",
        "--warmup-passes",
        "--epochs",
        "--pad-token-id",
    ),
    *("--cookie-ttl", "--token-budget", "--n-passes", "--credential-ttl", "--first-pass", "--seed"),
)
WORD_FLAGS = (
    *(
        "--key",
        "--sort-key",
        "--primary-key",
        "--partition-key",
        "--author",
        "--auth-mode",
        "--format",
    ),
    *(
        "--group-by-key",
        "--join-key",
        "--distribution-key",
        "--secret-name",
        "--token-type",
        "--mode",
    ),
    *(
        "--credentials-provider",
        "--keyspace",
        "--keyboard",
        "--compass",
        "--passthrough",
        "--monkey",
    ),
    *("--tokenizer", "--cookie-policy", "--foreign-key", "--sas-format", "--signature-version"),
    *(
        "--password-policy",
        "--auth-type",
        "--access-mode",
        "--cluster-key",
        "--hash-key",
        "--bypass",
    ),
)
SWITCHES = (
    *("--no-password", "--ask-pass", "--skip-auth", "--no-cookies", "--passwordless", "--verbose"),
    *(
        "--allow-anonymous-auth",
        "--password-stdin",
        "--enable-token-cache",
        "--dry-run",
        "--lowpass",
    ),
    *("-u", "-v", "-x", "-p", "--no-auth", "--keep", "--with-pass-stats", "--use-iam-auth", "-q"),
)
TESTS = ("password_reset", "test_token", "auth and not slow", "test_secret or test_key", "cookie")
WORDS = ("id", "name", "user_id", "basic", "eu-west-1", "parquet", "hive", "snappy", "iam", "csv")


def ordinary(count: int, seed: int = 17) -> list[tuple[str, ...]]:
    """Return so many command lines, the same ones for the same seed."""
    chance = random.Random(seed)
    made = [_PROGRAMS[number % len(_PROGRAMS)](chance) for number in range(count)]
    return [tuple(argv) for argv in made]


def _options(chance: random.Random) -> list[str]:
    found: list[str] = []
    for _ in range(chance.randint(0, 4)):
        kind = chance.randint(0, 4)
        if kind == 0:
            number = str(chance.choice([1, 3, 5, 64, 1000, 4096, 1_000_000]))
            flag = chance.choice(NUMBER_FLAGS)
            found += [f"{flag}={number}"] if chance.random() < 0.5 else [flag, number]
        elif kind == 1:
            flag, word = chance.choice(WORD_FLAGS), chance.choice(WORDS)
            found += [f"{flag}={word}"] if chance.random() < 0.5 else [flag, word]
        elif kind == 2:
            found.append(chance.choice(SWITCHES))
        elif kind == 3:
            found += [
                chance.choice(["--out", "-o", "--input", "--config", "--token-file"]),
                _path(chance),
            ]
        else:
            found += [
                chance.choice(["--run-id", "--commit", "--digest", "--checksum", "--tag"]),
                _digest(chance),
            ]
    return found


def _path(chance: random.Random) -> str:
    name = chance.choice(["secrets", "tokens", "part-0001", "auth", "key=7/day=2024-01-01/p", "x"])
    return f"{chance.choice(FOLDERS)}/{name}.{chance.choice(['parquet', 'json', 'csv', 'yaml'])}"


def _digest(chance: random.Random) -> str:
    data = chance.randbytes(8)
    return chance.choice(
        [
            sha1(data).hexdigest(),
            sha256(data).hexdigest(),
            "sha256:" + sha256(data).hexdigest(),
            str(uuid.UUID(bytes=data * 2)),
            sha1(data).hexdigest()[:8],
            "2024-06-01T12:30:00Z",
            "v1.2.3-rc1+build.5",
        ]
    )


def _sql(chance: random.Random) -> str:
    table, column, other = chance.choice(TABLES), chance.choice(COLUMNS), chance.choice(COLUMNS)
    return chance.choice(
        [
            f"SELECT {column}, count(*) FROM {table} GROUP BY {column}",
            f"SELECT {column} AS token FROM read_parquet('{_path(chance)}') LIMIT 5",
            f"SELECT a.{column} FROM {table} a JOIN t b ON a.{column} = b.{other}",
            f"COPY (SELECT * FROM {table}) TO '{_path(chance)}' (FORMAT parquet)",
            f"CREATE TABLE {table} ({column} VARCHAR, {other}2 BIGINT, PRIMARY KEY (id))",
            f"SELECT date_trunc('hour', ts), sum({column}) FROM {table} WHERE day >= '2024-01-01'",
            f"SELECT regexp_extract(url, 'https?://([^/]+)/', 1) FROM {table}",
            f"ALTER TABLE {table} ADD COLUMN {column} TEXT; DESCRIBE {table}",
        ]
    )


def _python(chance: random.Random) -> list[str]:
    program = chance.choice(["python", "python3.12", "/usr/bin/python3", ".venv/bin/python"])
    flags = chance.choice([[], ["-u"], ["-X", "dev"], ["-O"], ["-u", "-W", "error"]])
    script = f"{chance.choice(['', '/home/x/', 'jobs/'])}{chance.choice(FILES)}"
    return [program, *flags, script, *_options(chance)]


def _pytest(chance: random.Random) -> list[str]:
    test = f"tests/test_{chance.choice(['auth', 'token', 'password', 'io'])}.py"
    more = chance.choice(
        [[f"{test}::test_password_reset"], [f"{test}::TestToken::test_x[key=1-a:b]"], [test]]
    )
    return [
        "python",
        "-m",
        "pytest",
        "-q",
        "-k",
        chance.choice(TESTS),
        *more,
        *chance.choice([[], ["-p", "no:cacheprovider"], ["-n", "4"]]),
    ]


def _code(chance: random.Random) -> list[str]:
    column = chance.choice(COLUMNS)
    text = chance.choice(
        [
            f"import pandas; print(pandas.read_parquet('{_path(chance)}').groupby('{column}'))",
            f"df = load(); print(df['{column}'].nunique(), {{'rows': len(df), 'key': '{column}'}})",
            "import os; connect(password=os.environ['PGPASSWORD'], host='h')",
            "def f(token: str, key: int = 5) -> None: print(token)\nf('a', key=7)",
            "from getpass import getpass; login(password=getpass(), user='x')",
            "print(sorted(tokens, key=lambda token: token.count)[:10])",
            "for token in text.split(): counts[token] += 1",
        ]
    )
    return ["python", "-c", text]


def _duckdb(chance: random.Random) -> list[str]:
    return [
        chance.choice(["duckdb", "sqlite3"]),
        chance.choice([":memory:", "db.duckdb"]),
        "-c",
        _sql(chance),
    ]


def _psql(chance: random.Random) -> list[str]:
    url = chance.choice(
        [
            "postgresql://me@db:5432/sales",
            "host=db port=5432 dbname=sales user=me sslmode=require",
            "sales",
        ]
    )
    return ["psql", url, "-U", "me", "-w", "-c", _sql(chance)]


def _spark(chance: random.Random) -> list[str]:
    conf = chance.choice(
        [
            "spark.sql.shuffle.partitions=200",
            "spark.hadoop.fs.s3a.aws.credentials.provider=org.apache.hadoop.fs.s3a.AnonymousProvider",
            "spark.authenticate=false",
            "spark.kubernetes.authenticate.driver.serviceAccountName=spark",
            "spark.sql.catalog.lake.type=hive",
            "spark.executor.extraJavaOptions=-Dlog4j.level=WARN -XX:+UseG1GC",
        ]
    )
    return [
        "spark-submit",
        "--master",
        "k8s://https://10.0.0.1:6443",
        "--conf",
        conf,
        _path(chance)[:-5] + ".py",
        *_options(chance),
    ]


def _dbt(chance: random.Random) -> list[str]:
    variables = chance.choice(
        [
            '{"key": "id", "day": "2024-01-01"}',
            "{start: 2024-01-01, sort_key: ts}",
            '{"n_tokens": 512}',
        ]
    )
    return [
        "dbt",
        "run",
        "--select",
        f"tag:{chance.choice(TABLES)}+",
        "--vars",
        variables,
        "--profiles-dir",
        "/home/x/.dbt",
        "--target",
        "prod",
    ]


def _airflow(chance: random.Random) -> list[str]:
    more = chance.choice(
        [
            ["tasks", "test", f"load_{chance.choice(TABLES)}", "refresh_token_table", "2024-01-01"],
            [
                "dags",
                "trigger",
                "rotate_secrets",
                "--run-id",
                "manual__2024-01-01T00:00:00+00:00",
                "--conf",
                '{"key": "id", "full": true}',
            ],
            ["scheduler", "--num-runs", "5"],
            ["variables", "get", "api_endpoint"],
        ]
    )
    return ["airflow", *more]


def _torch(chance: random.Random) -> list[str]:
    return [
        "torchrun",
        "--nproc_per_node=8",
        f"--rdzv-endpoint=node{chance.randint(0, 9)}:29500",
        "train.py",
        "--pad-token",
        chance.choice(["<pad>", "[PAD]", "0"]),
        "--tokenizer",
        "bert-base-uncased",
        "--eos-token=</s>",
        *_options(chance),
    ]


def _serve(chance: random.Random) -> list[str]:
    return chance.choice(
        [
            [
                "gunicorn",
                "-w",
                "4",
                "-b",
                "0.0.0.0:8000",
                "-u",
                "www:data",
                "shop.auth:create_app()",
            ],
            ["uvicorn", "app.tokens:app", "--host", "0.0.0.0", "--port", "8000", "--reload"],
            ["celery", "-A", "jobs.secrets", "worker", "-Q", "auth,mail", "--concurrency=4"],
            ["streamlit", "run", "token_dashboard.py", "--server.port=8501"],
            ["jupyter", "lab", "--no-browser", "--NotebookApp.allow_origin=*", "auth.ipynb"],
            ["ray", "start", "--head", "--port=6379", "--dashboard-host=0.0.0.0"],
            ["redis-cli", "-h", "cache", "-p", "6379", "--scan", "--pattern", "session:*"],
            [
                "mlflow",
                "server",
                "--backend-store-uri",
                "sqlite:///mlflow.db",
                "--app-name",
                "basic-auth",
            ],
        ]
    )


def _containers(chance: random.Random) -> list[str]:
    digest = sha256(chance.randbytes(4)).hexdigest()
    return chance.choice(
        [
            ["kubectl", "get", "secret", "db-credentials", "-o", "yaml", "-n", "auth"],
            ["kubectl", "create", "token", "spark", "--duration=1h"],
            ["kubectl", "logs", "-f", "deploy/token-service", "--since=5m", "-c", "auth"],
            [
                "docker",
                "run",
                "--rm",
                "-u",
                "1000:1000",
                "-e",
                "TOKENIZERS_PARALLELISM=false",
                "-v",
                "/data:/data",
                f"img@sha256:{digest}",
                "python",
                "-u",
                "etl.py",
            ],
            [
                "docker",
                "build",
                "--secret",
                "id=pip,src=/home/x/pip.conf",
                "-t",
                "registry:5000/auth:1.2.3",
                ".",
            ],
            [
                "docker",
                "run",
                "-p",
                "8080:80",
                "--user",
                "node:node",
                "vault:latest",
                "server",
                "-dev",
            ],
            ["docker", "exec", "-u", "postgres", "db", "psql", "-c", _sql(chance)],
            [
                "helm",
                "upgrade",
                "x",
                "./chart",
                "--set",
                "auth.existingSecret=db,auth.enabled=true",
            ],
            ["kubectl", "create", "secret", "generic", "db", "--from-file=/run/secrets/db.json"],
        ]
    )


def _shell(chance: random.Random) -> list[str]:
    text = chance.choice(
        [
            f"cd /data && python -u {chance.choice(FILES)} --passes 3 | tee log.txt",
            "for f in *.parquet; do echo $f; done; ls -l /home/x/secrets.py",
            'curl -sS -H "Accept: application/json" http://h:8080/api?page=2&sort=key | jq .',
            'curl -u "$USER:$PASS" https://h/x -o out.json',
            "export PATH=/usr/bin:$PATH PWD=/home/x; exec python etl.py --key id",
            'psql "host=db password=$PGPASSWORD" -c "SELECT 1"',
            "awk -F: '{print $1}' /etc/passwd | sort -u > users.txt",
            "grep -rn 'password' src/ --include=*.py | wc -l",
            "TOKEN=$(cat /run/secrets/token) python etl.py",
        ]
    )
    return [chance.choice(["sh", "bash", "/bin/bash"]), chance.choice(["-c", "-lc", "-ec"]), text]


def _tools(chance: random.Random) -> list[str]:
    return chance.choice(
        [
            [
                "aws",
                "s3",
                "cp",
                "s3://bucket/key",
                _path(chance),
                "--sse",
                "aws:kms",
                "--profile",
                "prod",
            ],
            [
                "aws",
                "secretsmanager",
                "get-secret-value",
                "--secret-id",
                "arn:aws:secretsmanager:eu-west-1:1234:secret:prod/db",
            ],
            ["git", "checkout", "-b", "fix/password-reset", _digest(chance)],
            ["git", "clone", "git@github.com:org/auth-service.git", "--depth", "1"],
            ["git", "log", "--author=me", "--grep=token", "--since=2024-01-01", "-S", "password"],
            ["rsync", "-avz", "me@h:/data/tokens/", "./tokens", "--exclude=*.key"],
            ["ssh", "-i", "~/.ssh/id_ed25519", "-p", "2222", "me@h", "nvidia-smi"],
            [
                "pip",
                "install",
                "python-jose[cryptography]==3.3.0",
                "passlib",
                "--index-url",
                "https://packages.example.org/simple",
            ],
            [
                "terraform",
                "plan",
                "-var",
                "region=eu-west-1",
                "-var",
                "key_name=deploy",
                "-out=plan",
            ],
            [
                "ansible-playbook",
                "site.yml",
                "--private-key",
                "~/.ssh/id_rsa",
                "-e",
                "auth_enabled=true",
                "--ask-vault-pass",
            ],
            [
                "curl",
                "-fsSL",
                "-o",
                "f.zip",
                "https://h/x.zip?version=5&sort=key",
                "-H",
                "Accept: text/csv",
            ],
            [
                "curl",
                "-X",
                "POST",
                "-d",
                '{"key": "id", "max_tokens": 256}',
                "http://localhost:8000/v1/tokens",
            ],
            ["mysql", "-h", "db", "-u", "me", "-p", "sales", "-e", _sql(chance)],
            ["dvc", "repro", "tokenize", "--params", "train.max_tokens=512,key=id"],
            ["openssl", "dgst", "-sha256", "f.key"],
            [
                "vllm",
                "serve",
                "meta-llama/Llama-3-8B",
                "--max-num-batched-tokens",
                "8192",
                "--tokenizer-mode",
                "auto",
            ],
        ]
    )


def _near(chance: random.Random) -> list[str]:
    """What looks much like a secret's place, and holds none."""
    number = chance.randint(1, 99)
    said = chance.choice(
        [
            f"fix password reset in {number} places",
            f"SELECT password FROM users{number} WHERE token IS NULL",
            f"password sha256 instead of md5, see load{number}.py",
            "the password is required; api key: missing",
            f"token {number} of 512, password column{number}",
            "secret rotation v2beta1, access key: F5",
            "see docs/auth2.md on passwords, or ask jane2@example.org",
        ]
    )
    host = chance.choice(["github.com", "dev.azure.com"])
    user = chance.choice(
        ["git", "jane", "svc-etl", "contoso-engineering", "jane.doe%40example.org"]
    )
    query = chance.choice(
        [
            *("code=404", "country_code=DE", "code=not_found_in_table", f"key=user_{number}"),
            *("key=part-00001-of-00002", "ticket=OPS-1234", "code=EUR&key=2024-01-01T00:00:00Z"),
        ]
    )
    piped = chance.choice(
        [
            *("echo done | tee log.txt", "echo y | sudo apt install x", "echo a.txt | xargs rm"),
            *("echo $PW | sudo -S ls", "echo x | sudo tar -S -cf x.tar", "cat <<END\nrows\nEND"),
            *("printf '%s\\n' a b | sort -S 1G", "echo 3 > /proc/sys/vm/drop_caches"),
        ]
    )
    return chance.choice(
        [
            ["git", "commit", "-m", said],
            ["notify", "--text", said],
            ["git", "clone", f"https://{user}@{host}/org/repo{number}"],
            ["duckdb", "-c", f"FROM 'abfss://c0nt4in3r{number}x@acc.dfs.core.windows.net/p'"],
            ["curl", "-fsS", f"https://h/p?n={number}&{query}"],
            ["sh", "-c", piped],
            ["docker", "run", f"-u{1000 + number}:{1000 + number}", "img"],
            ["client", f"-udb{number}.example.org:5432", "x"],
            ["date", "-u", f"{number % 12}:30"],
        ]
    )


_PROGRAMS = (
    *(_python, _pytest, _code, _duckdb, _psql, _spark, _dbt, _airflow, _torch, _serve),
    *(_containers, _shell, _tools, _python, _near),
)
