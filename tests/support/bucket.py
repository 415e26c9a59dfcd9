"""A bucket for tests: a real S3-compatible server (moto's) on loopback, started by the test."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

KEY = "AKIAPERFTUITEST00001"
SECRET = "verySecretValue0123/abcdefghijklmnopqrst"
NAME = "runs-of-tests"


class Bucket:
    """A server with one bucket. Clients find it, and the keys, through the environment."""

    def __init__(self) -> None:
        from moto.server import ThreadedMotoServer

        logging.getLogger("werkzeug").setLevel(logging.CRITICAL)
        self._server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        self._server.start()
        host, port = self._server.get_host_and_port()
        self.endpoint = f"http://{host}:{port}"
        self.url = f"s3://{NAME}"
        self.client().create_bucket(Bucket=NAME)

    def client(self) -> Any:
        """Return a client of its own."""
        import botocore.session

        return botocore.session.get_session().create_client(
            "s3",
            endpoint_url=self.endpoint,
            aws_access_key_id=KEY,
            aws_secret_access_key=SECRET,
            region_name="us-east-1",
        )

    def environment(self) -> dict[str, str]:
        """Return what leads a client there."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": "/dev/null",
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        }

    def lead_there(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Have this process and those that it starts find it."""
        for name, value in self.environment().items():
            monkeypatch.setenv(name, value)

    def names(self, folder: str = "") -> list[str]:
        """List what is in it, below a folder."""
        prefix = f"{folder}/" if folder else ""
        pages = self.client().get_paginator("list_objects_v2")
        found = pages.paginate(Bucket=NAME, Prefix=prefix)
        return [each["Key"] for page in found for each in page.get("Contents", ())]

    def files(self, folder: str = "") -> dict[str, bytes]:
        """Return what is in it, below a folder, by the rest of the name."""
        client, start = self.client(), len(folder) + 1 if folder else 0
        return {
            name[start:]: client.get_object(Bucket=NAME, Key=name)["Body"].read()
            for name in self.names(folder)
        }

    def put(self, source: Path, folder: str) -> None:
        """Put the files of a folder into one of the bucket."""
        client = self.client()
        for path in source.iterdir():
            if path.name[0] != ".":
                key = f"{folder}/{path.name}"
                client.put_object(Bucket=NAME, Key=key, Body=path.read_bytes())

    def clear(self) -> None:
        """Remove all that is in it."""
        client = self.client()
        for name in self.names():
            client.delete_object(Bucket=NAME, Key=name)

    def deny(self, action: str = "s3:PutObject") -> None:
        """Take a right away from everybody."""
        statement = {
            "Effect": "Deny",
            "Principal": "*",
            "Action": action,
            "Resource": f"arn:aws:s3:::{NAME}/*",
        }
        policy = {"Version": "2012-10-17", "Statement": [statement]}
        self.client().put_bucket_policy(Bucket=NAME, Policy=json.dumps(policy))

    def allow(self) -> None:
        """Give all rights back."""
        self.client().delete_bucket_policy(Bucket=NAME)

    def stop(self) -> None:
        """End the server."""
        self._server.stop()
