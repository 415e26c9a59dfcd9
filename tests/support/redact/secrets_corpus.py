"""Command lines with secrets in them, and what must vanish. Every secret is made up here."""

from __future__ import annotations

import base64
from typing import NamedTuple


class Case(NamedTuple):
    """A command line and its secrets; `keeps` must still be there."""

    argv: tuple[str, ...]
    secrets: tuple[str, ...]
    keeps: tuple[str, ...] = ()


WORD = "zQ7fakeW0rd"
BLANKS = "horse b4ttery stäple"
SIGNS = "p@s$w%rd!#9x"
NAMES = (
    *("password", "passwd", "passphrase", "secret", "token", "api-key", "access-token", "pw"),
    *("client-secret", "private_key", "pass", "db-password", "secretKey", "AuthToken", "apikey"),
    *("aws-secret-access-key", "credentials", "dbpass", "refresh_token", "session-token", "pwd"),
    *("master-key", "encryption-key", "account-key", "storage-key", "signing-key", "storepass"),
)
VARIABLES = (
    *("PASSWORD", "PGPASSWORD", "PGPASS", "DB_PASSWORD", "MYSQL_PWD", "AWS_SECRET_ACCESS_KEY"),
    *("AWS_SESSION_TOKEN", "GITHUB_TOKEN", "OPENAI_API_KEY", "SECRET_KEY_BASE", "REDISCLI_AUTH"),
    *("DJANGO_SECRET_KEY", "NPM_TOKEN", "HF_TOKEN", "SLACK_BOT_TOKEN", "AIRFLOW__CORE__FERNET_KEY"),
    *("AZURE_STORAGE_KEY", "SNOWFLAKE_PASSWORD", "MOTHERDUCK_TOKEN", "SMTP_PASS", "JWT_SECRET"),
)
HEADERS = (
    *("X-Api-Key", "X-Auth-Token", "Cookie", "Proxy-Authorization", "X-Amz-Security-Token"),
    *("Private-Token", "X-Vault-Token", "Ocp-Apim-Subscription-Key", "X-Goog-Api-Key"),
    *("Set-Cookie", "x-functions-key-secret", "X-CSRF-Token", "DD-API-KEY", "Api-Key"),
)
QUERY = (
    *("sig", "X-Amz-Signature", "X-Amz-Security-Token", "token", "access_token", "api_key"),
    *("client_secret", "password", "X-Goog-Signature", "auth", "apikey", "refresh_token", "pw"),
)
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJub2JvZHkifQ.c2lnbmF0dXJlLWZha2U"
PEM = (
    "-----BEGIN RSA PRIVATE KEY-----\nMIIfakefakeFAKE01\n"
    "q83fakeLINE02==\n-----END RSA PRIVATE KEY-----"
)
SHAPES = (
    "ghp_" + "f4Ke" * 9,
    "gho_" + "f4Ke" * 9,
    "github_pat_" + "f4Ke_" * 8,
    "glpat-" + "f4Ke" * 5,
    "sk-" + "f4Ke" * 8,
    "sk-proj-" + "f4-Ke" * 8,
    "sk-ant-api03-" + "f4Ke" * 8,
    "sk_live_" + "f4Ke" * 6,
    "rk_live_" + "f4Ke" * 6,
    "xoxb-" + "1234-" * 2 + "f4Ke" * 5,
    "xoxp-" + "1234-" * 2 + "f4Ke" * 5,
    "AKIA" + "F4KE" * 4,
    "ASIA" + "F4KE" * 4,
    "AIza" + "f4Ke-" * 7,
    "ya29." + "f4Ke-" * 7,
    "hf_" + "f4Ke" * 8,
    "npm_" + "f4Ke" * 9,
    "pypi-" + "f4Ke" * 9,
    "dapi" + "0f4a" * 8,
    "hvs." + "f4Ke" * 8,
    "SG." + "f4Ke" * 5 + "." + "f4Ke" * 8,
    "dckr_pat_" + "f4Ke" * 6,
    JWT,
)


def corpus() -> list[Case]:
    """Return all cases."""
    return [
        *(*_flags(), *_variables(), *_headers(), *_urls(), *_structures(), *_nested(), *_looks()),
        *(*_keys_in_urls(), *_accounts(), *_sentences(), *_standard_input()),
    ]


def _flags() -> list[Case]:
    cases = []
    for number, name in enumerate(NAMES):
        value = (WORD, BLANKS, SIGNS)[number % 3]
        before, after = ("python", "load.py", "--rows", "5"), ("out.parquet",)
        cases += [
            Case((*before, f"--{name}", value, *after), (value,), (*before, *after)),
            Case((*before, f"--{name}={value}", *after), (value,), (*before, f"--{name}", *after)),
        ]
    account = f"me:{SIGNS}"
    return [
        *cases,
        Case(("mysql", "-h", "db", f"-p{WORD}", "sales"), (WORD,), ("mysql", "db", "sales")),
        Case(("mysqldump", "-uroot", f"-p{SIGNS}", "sales"), (SIGNS,), ("-uroot", "sales")),
        Case(("docker", "exec", "db1", "mysql", f"-p{WORD}"), (WORD,), ("docker", "db1", "mysql")),
        Case(("curl", "-u", account, "http://h/x"), (SIGNS,), ("curl", "http://h/x")),
        Case(("curl", f"-u{account}", "http://h/x"), (SIGNS,), ("http://h/x",)),
        Case(("curl", "--user", account, "http://h/x"), (SIGNS,), ("http://h/x",)),
        Case(("curl", f"--user={account}", "http://h/x"), (SIGNS,), ("http://h/x",)),
        Case(("/usr/bin/curl", "-U", account, "http://h"), (SIGNS,), ("/usr/bin/curl", "http://h")),
        Case(("sudo", "curl", "-sSu", "a:b", "--pass", WORD, "http://h"), (WORD,), ("http://h",)),
        Case(("curl", "-b", f"session={WORD}; id=4", "http://h"), (WORD,), ("http://h",)),
        Case(("curl", "--cookie", f"sid={WORD}", "http://h"), (WORD,), ("http://h",)),
        Case(("curl", "--oauth2-bearer", WORD, "http://h"), (WORD,), ("http://h",)),
        Case(("curl", "-x", f"me:{WORD}@proxy:3128", "http://h"), (WORD,), ("http://h",)),
        Case(("http", "-a", account, "GET", "h/x"), (SIGNS,), ("http", "GET", "h/x")),
        Case(("python", "client.py", "-u", account), (SIGNS,), ("client.py",)),
        Case(("redis-cli", "-a", WORD, "info"), (WORD,), ("redis-cli", "info")),
        Case(("htpasswd", "-b", "file", "me", WORD), (WORD,), ("htpasswd", "file", "me")),
        Case(("htpasswd", "-nbB", "me", WORD), (WORD,), ("htpasswd", "me")),
        Case(("sh", "-c", f"htpasswd -bc file me {WORD}"), (WORD,), ("file", "me")),
        Case(("sshpass", "-p", WORD, "ssh", "me@h"), (WORD,), ("sshpass", "ssh", "me@h")),
        Case(("sshpass", f"-p{WORD}", "ssh", "me@h"), (WORD,), ("me@h",)),
        Case(("mongosh", "-u", "root", "-p", WORD, "h/db"), (WORD,), ("mongosh", "root", "h/db")),
        Case(
            ("docker", "login", "-u", "me", "-p", WORD, "r.io"), (WORD,), ("docker", "me", "r.io")
        ),
        Case(("docker", "run", "-e", f"DB_PASSWORD={BLANKS}", "img"), (BLANKS,), ("docker", "img")),
        Case(("docker", "run", f"--env=API_TOKEN={WORD}", "img"), (WORD,), ("docker", "img")),
        Case(("docker", "build", "--build-arg", f"TOKEN={WORD}", "."), (WORD,), ("build", ".")),
        Case(
            ("kubectl", "create", "secret", "generic", "db", f"--from-literal=password={WORD}"),
            (WORD,),
            ("kubectl", "db"),
        ),
        Case(
            ("kubectl", "create", "secret", "generic", "db", f"--from-literal=anything={WORD}"),
            (WORD,),
            ("kubectl", "db"),
        ),
        Case(("helm", "install", "x", "--set", f"auth.password={WORD}"), (WORD,), ("helm", "x")),
        Case(
            ("spark-submit", "--conf", f"spark.hadoop.fs.s3a.secret.key={WORD}", "j.py"),
            (WORD,),
            ("j.py",),
        ),
        Case(
            (
                "spark-submit",
                "--conf",
                f"fs.azure.account.key.a.dfs.core.windows.net={WORD}==",
                "j.py",
            ),
            (WORD,),
            ("j.py",),
        ),
        Case(
            ("java", f"-Djavax.net.ssl.keyStorePassword={WORD}", "-jar", "x.jar"),
            (WORD,),
            ("java", "x.jar"),
        ),
        Case(("keytool", "-storepass", WORD, "-list"), (WORD,), ("keytool", "-list")),
        Case(("openssl", "enc", "-k", WORD, "-in", "f"), (WORD,), ("openssl", "enc", "f")),
        Case(
            ("aws", "configure", "set", "aws_secret_access_key", WORD),
            (WORD,),
            ("aws", "configure"),
        ),
        Case(("gpg", "--batch", "--passphrase", BLANKS, "-c", "f"), (BLANKS,), ("gpg", "f")),
        Case(("wget", f"--http-password={WORD}", "http://h"), (WORD,), ("wget", "http://h")),
        Case(("sqlcmd", "-S", "h", "-P", WORD), (WORD,), ("sqlcmd", "h")),
        Case(("vault", "login", WORD), (WORD,), ("vault", "login")),
        Case(("x", "Authorization:", "Bearer", WORD, "more"), (WORD,), ("x", "more")),
        Case(("x", "Bearer", WORD, "more"), (WORD,), ("x", "more")),
    ]


def _variables() -> list[Case]:
    cases = []
    for number, name in enumerate(VARIABLES):
        value = (WORD, BLANKS, SIGNS)[number % 3]
        cases.append(Case(("env", f"{name}={value}", "python", "x.py"), (value,), (name, "x.py")))
        text = f"{name}={WORD} python x.py --rows 5"
        cases.append(Case(("sh", "-c", text), (WORD,), (name, "python x.py --rows 5")))
    return cases


def _headers() -> list[Case]:
    basic = base64.b64encode(f"me:{WORD}".encode()).decode()
    cases = [
        Case(
            ("curl", "-H", "Authorization: Bearer " + WORD, "http://h"),
            (WORD,),
            ("Authorization: Bearer", "http://h"),
        ),
        Case(("curl", "-HAuthorization: Bearer " + WORD, "http://h"), (WORD,), ("http://h",)),
        Case(
            ("curl", "--header", f"Authorization: Basic {basic}"),
            (basic,),
            ("Authorization: Basic",),
        ),
        Case(("curl", f"--header=Authorization: token {WORD}"), (WORD,), ("curl",)),
        Case(("curl", "-H", f"authorization: {WORD} {WORD}2"), (WORD,), ("curl",)),
        Case(("x", f"Basic {basic}"), (basic,), ("x",)),
        Case(("x", f"Bearer {WORD}"), (WORD,), ("x",)),
        Case(("x", "--say", f"sent Bearer {WORD} to h"), (WORD,), ("to h",)),
        Case(
            ("git", "-c", f"http.extraHeader=Authorization: Basic {basic}", "pull"),
            (basic,),
            ("git", "pull"),
        ),
    ]
    for number, name in enumerate(HEADERS):
        value = (WORD, BLANKS, "a=" + WORD + "; b=2")[number % 3]
        cases += [
            Case(
                ("curl", "-H", f"{name}: {value}", "http://h"),
                (value, WORD if WORD in value else value),
                (name, "http://h"),
            ),
            Case(("sh", "-c", f"curl -H '{name}: {value}' http://h"), (value,), (name, "http://h")),
        ]
    return cases


def _urls() -> list[Case]:
    cases = [
        Case(("x", f"{scheme}://{user}:{value}@h/db"), (value,), ("@h/db", scheme))
        for scheme, user, value in (
            ("postgresql", "root", WORD),
            ("mysql", "root", "p%40ss%21"),
            ("redis", "", "pw9fake"),
            ("mongodb+srv", "me", "p#w9fake"),
            ("amqp", "me", "pw/9fake"),
            ("https", "me", "пароль9"),
            ("snowflake", "me", "a:b9fake"),
            ("clickhouse", "me", "a@b9fake"),
            ("sftp", "me", "a&b9fake"),
            ("postgresql+psycopg", "me", "a,b9fake"),
        )
    ]
    cases += [
        Case(
            ("x", f"https://h/p?n=1&{name}={WORD}&rows=5"),
            (WORD,),
            ("https://h/p?n=1", "rows=5"),
        )
        for name in QUERY
    ]
    return [
        *cases,
        Case(("pip", "install", f"git+https://{WORD}{WORD}@h/r.git"), (WORD,), ("pip", "@h/r.git")),
        Case(("x", "https://hooks.slack.com/services/T0/B0/" + WORD), (WORD,), ("x",)),
        Case(
            ("x", f"Endpoint=sb://h/;SharedAccessKeyName=n;SharedAccessKey={WORD}="),
            (WORD,),
            ("Endpoint=sb://h/",),
        ),
        Case(("x", f"SharedAccessSignature sr=h&sig={WORD}&se=1&skn=n"), (WORD,), ("x",)),
        Case(
            ("x", f"AccountName=a;AccountKey={WORD}==;EndpointSuffix=e"),
            (WORD,),
            ("AccountName=a", "EndpointSuffix=e"),
        ),
        Case(
            ("x", f"host=h port=5 user=u password={WORD} dbname=d"), (WORD,), ("host=h", "dbname=d")
        ),
        Case(("x", f"host=h password='{BLANKS}' dbname=d"), (BLANKS,), ("host=h", "dbname=d")),
        Case(("x", f"password={BLANKS} host=h dbname=d"), (BLANKS,), ("host=h", "dbname=d")),
        Case(
            ("x", f"Server=h;Database=d;User Id=u;Pwd={WORD};Encrypt=yes"),
            (WORD,),
            ("Server=h", "Encrypt=yes"),
        ),
        Case(
            ("x", f"DRIVER={{ODBC 18}};SERVER=h;UID=u;PWD={SIGNS};X=1"),
            (SIGNS,),
            ("SERVER=h", "X=1"),
        ),
        Case(
            ("x", f"jdbc:postgresql://h/d?user=u&password={WORD}"),
            (WORD,),
            ("jdbc:postgresql://h/d",),
        ),
        Case(
            ("x", f"jdbc:sqlserver://h:1433;user=u;password={WORD};encrypt=true"),
            (WORD,),
            ("encrypt=true",),
        ),
        Case(
            ("x", f"grant_type=x&client_secret={WORD}&scope=s"),
            (WORD,),
            ("grant_type=x", "scope=s"),
        ),
        Case(("sqlplus", f"scott:{WORD}@dbhost:1521/x"), (WORD,), ("sqlplus", "dbhost")),
    ]


def _structures() -> list[Case]:
    cases = []
    for value in (WORD, BLANKS, 'q\\"uo9te', "a, b9: c"):
        cases += [
            Case(("x", f'--config={{"db": {{"pwd": "{value}"}}, "n": 5}}'), (value,), ('"n": 5',)),
            Case(("x", f'{{"secret" : "{value}", "n": 5}}'), (value,), ('"n": 5',)),
            Case(("x", f"{{'api_key': '{value}', 'n': 5}}"), (value,), ("'n': 5",)),
            Case(
                ("python", "-c", f'connect(host="h", password="{value}", port=5)'),
                (value,),
                ('host="h"', "port=5"),
            ),
            Case(
                (
                    "duckdb",
                    "-c",
                    f"CREATE SECRET (TYPE s3, KEY_ID 'k', SECRET '{value}', REGION 'eu')",
                ),
                (value,),
                ("CREATE SECRET (TYPE s3", "REGION 'eu'"),
            ),
        ]
    return [
        *cases,
        Case(("x", f'{{"password":"{BLANKS}"}}'), (BLANKS,), ('{"password":',)),
        Case(
            ("x", f'{{"tokens": 5, "token": ["{WORD}", "{BLANKS}"], "n": 5}}'),
            (WORD, BLANKS),
            ('"n": 5',),
        ),
        Case(
            ("x", f'{{"credentials": {{"user": "u", "x": "{WORD}"}}, "n": 5}}'),
            (WORD,),
            ('"n": 5',),
        ),
        Case(("x", f"user: u\npassword: {BLANKS}\nport: 5"), (BLANKS,), ("user: u", "port: 5")),
        Case(
            ("x", f"db:\n  passphrase: |\n    {WORD}\n    {BLANKS}\n  port: 5"),
            (WORD, BLANKS),
            ("port: 5",),
        ),
        Case(("x", f"{{host: h, password: {WORD}, port: 5}}"), (WORD,), ("host: h", "port: 5")),
        Case(("x", f"--password=first {WORD}\nsecond {BLANKS}"), (WORD, BLANKS), ("--password",)),
        Case(
            ("x", "--key-file", "k", "--data", PEM),
            ("MIIfakefakeFAKE01", "q83fakeLINE02"),
            ("--key-file",),
        ),
        Case(
            ("x", '{"private_key": "' + PEM.replace("\n", "\\n") + '"}'),
            ("MIIfakefakeFAKE01",),
            ("private_key",),
        ),
        Case(
            ("psql", "-c", f"ALTER USER u WITH PASSWORD '{BLANKS}'"), (BLANKS,), ("ALTER USER u",)
        ),
        Case(
            ("mysql", "-e", f"CREATE USER u IDENTIFIED BY '{SIGNS}'"), (SIGNS,), ("CREATE USER u",)
        ),
        Case(
            ("duckdb", "-c", f"SET s3_secret_access_key='{WORD}'; SELECT 1"), (WORD,), ("SELECT 1",)
        ),
        Case(
            ("duckdb", "-c", f"ATTACH 'postgres:host=h password={WORD}' AS p"),
            (WORD,),
            ("ATTACH", "AS p"),
        ),
        Case(
            ("python", "-c", f"import os; os.environ['API_TOKEN'] = '{BLANKS}'; run(5)"),
            (BLANKS,),
            ("run(5)",),
        ),
        Case(
            ("python", "-c", f'os.environ.setdefault("DB_PASSWORD", "{WORD}"); run(5)'),
            (WORD,),
            ("run(5)",),
        ),
        Case(("python", "-c", f"token: str = '{WORD}'; run(5)"), (WORD,), ("run(5)",)),
        Case(("python", "-c", f"run(['x', '--password', '{WORD}'], 5)"), (WORD,), ("'x'", ", 5)")),
        Case(
            ("python", "-c", f"get(h, headers={{'Authorization': 'Bearer {WORD}'}})"),
            (WORD,),
            ("get(h",),
        ),
        Case(("x", f"<user>u</user><password>{WORD}</password>"), (WORD,), ("<user>u</user>",)),
        Case(("x", f"пароль={WORD}"), (WORD,), ("x",)),
        Case(("x", "--password", "пароль-ключ9"), ("пароль-ключ9",), ("x",)),
        Case(("npm", "config", "set", f"//r.io/:_authToken={WORD}"), (WORD,), ("npm", "config")),
    ]


def _nested() -> list[Case]:
    return [
        Case(
            ("bash", "-lc", f"curl -H 'X-Api-Key: {BLANKS}' http://h | jq ."),
            (BLANKS,),
            ("http://h | jq .",),
        ),
        Case(
            ("bash", "-c", f'bash -c "curl -H \\"X-Api-Key: {BLANKS}\\" http://h"'),
            (BLANKS,),
            ("http://h",),
        ),
        Case(("sh", "-c", f"mysql -p{WORD} db < f.sql"), (WORD,), ("mysql", "db < f.sql")),
        Case(
            ("sh", "-c", f"cd /x && PGPASSWORD='{BLANKS}' psql -h h"),
            (BLANKS,),
            ("cd /x", "psql -h h"),
        ),
        Case(
            ("sh", "-c", f"curl -u me:{WORD} http://h && echo ok"),
            (WORD,),
            ("http://h && echo ok",),
        ),
        Case(
            ("sh", "-ec", f'prog --password "{BLANKS}" --rows 5'), (BLANKS,), ("prog", "--rows 5")
        ),
        Case(
            ("sh", "-c", f"""curl -d '{{"password":"{BLANKS}"}}' http://h"""),
            (BLANKS,),
            ("http://h",),
        ),
        Case(("ssh", "me@h", f"mysqldump -p{WORD} db | gzip"), (WORD,), ("me@h", "db | gzip")),
        Case(("su", "-c", f"redis-cli -a {WORD} info", "me"), (WORD,), ("info", "me")),
        Case(
            ("docker", "exec", "c", "sh", "-c", f"TOKEN={WORD} run --rows 5"),
            (WORD,),
            ("docker", "run --rows 5"),
        ),
        Case(("sh", "-c", f"export API_KEY={WORD}\npython x.py"), (WORD,), ("python x.py",)),
        Case(
            ("python", "-c", f"import os; os.system('curl -u me:{WORD} http://h')"),
            (WORD,),
            ("os.system(", "http://h"),
        ),
        Case(("watch", "-n", "5", f"redis-cli -a {WORD} info"), (WORD,), ("watch", "info")),
        Case((f"postgres: me password={WORD} idle",), (WORD,), ("postgres:",)),
    ]


def _looks() -> list[Case]:
    return [
        Case(("python", "x.py", "--say", f"a {shape} b"), (shape,), (" b", "x.py"))
        for shape in SHAPES
    ] + [
        Case(("x", f"https://h/p/{JWT}/q"), (JWT,), ("https://h/p/",)),
        Case(("x", "f=" + SHAPES[0]), (SHAPES[0],), ("f=",)),
    ]


def _keys_in_urls() -> list[Case]:
    codes = ("4%2F0AX4XfWhk3n5q", "aB3dE6gH9jK2mN5pQ8==", "9f86d081884c7d659a2f")
    return [
        *(
            Case(("git", "clone", f"{scheme}://{WORD}@h/r.git"), (WORD,), ("git", "@h/r.git"))
            for scheme in ("https", "git+https", "http", "redis", "wss", "amqp")
        ),
        Case(("x", "nats://s3cr-et@h:4222"), ("s3cr-et",), ("nats://", "@h:4222")),
        Case(("x", f"https://{WORD}:x-oauth-basic@h/r"), (WORD,), ("x-oauth-basic@h/r",)),
        Case(("x", f"https://{WORD}:@h/r"), (WORD,), ("@h/r",)),
        Case(("curl", "-u", f"{WORD}:", "https://h/r"), (WORD,), ("https://h/r",)),
        *(
            Case(("x", f"https://h/p?n=1&{name}={code}&rows=5"), (code,), ("h/p?n=1", "rows=5"))
            for name in ("code", "key", "device_code", "ticket", "client_assertion")
            for code in codes
        ),
        Case(("curl", "-d", f"grant_type=x&code={codes[0]}"), (codes[0],), ("grant_type=x",)),
    ]


def _accounts() -> list[Case]:
    return [
        *(
            Case((*command, f"-uadmin:{value}", "x"), (value,), (*command, "-u"))
            for command in (("client",), ("python", "c.py"), ("java", "-jar", "c.jar"))
            for value in (WORD, SIGNS)
        ),
        Case(("curl", f"-sSuadmin:{WORD}", "http://h"), (WORD,), ("http://h",)),
        Case(("sh", "-c", f"client -uadmin:{WORD} x"), (WORD,), ("client",)),
    ]


def _sentences() -> list[Case]:
    told = (
        *("login with password {}", "the password is {}.", "Password is: {}", "pw {} for the lab"),
        *("password for it is: {}", "set the passphrase to {} today", "das Passwort ist {}"),
        *("api key: {}", "API key is {}", "access token = {}", "use token {} now", "secret key {}"),
    )
    return [
        *(Case(("say", "--to", "me", text.format(WORD)), (WORD,), ("say", "me")) for text in told),
        Case(("say", "login as me, password hunter2, ok"), ("hunter2",), ("login as me", "ok")),
        Case(("say", f"password {SIGNS}"), (SIGNS,), ("say",)),
    ]


def _standard_input() -> list[Case]:
    commands = (
        *(
            "echo {} | sudo -S ls /x",
            "echo {}|sudo -kS -u root ls /x",
            "echo {} | sudo --stdin ls /x",
        ),
        *("printf '%s\\n' {} | sudo -u me -S ls /x", "(echo {}; echo {}) | passwd me # /x"),
        *("{{ echo {}; echo {}; }} | smbpasswd -s me /x", "sudo -S ls /x <<< {}"),
        *("sudo -S ls /x <<<'{}' && ls", "sudo -S ls /x <<END\n{}\nEND\nls"),
        *("echo me:{} | chpasswd; ls /x", "echo {} | tr -d a | docker login --password-stdin r/x"),
        *("echo {} | gpg --batch --passphrase-fd 0 -d /x", "echo {} | vault login - # /x"),
        *("echo {} | kubectl create secret generic /x --from-file=p=/dev/stdin",),
        *("echo {} | gh secret set NAME -R o/x", "echo {} | ssh h 'sudo -S ls /x'"),
    )
    return [
        *(
            Case(("sh", "-c", text.format(*[WORD] * text.count("{}"))), (WORD,), ("/x",))
            for text in commands
        ),
        Case(("ssh", "me@h", f"echo {WORD} | sudo -S ls /x"), (WORD,), ("me@h", "ls /x")),
        Case(
            ("python", "-c", f"import os; os.system('echo {WORD} | sudo -S ls /x'); run(5)"),
            (WORD,),
            ("ls /x", "run(5)"),
        ),
    ]
