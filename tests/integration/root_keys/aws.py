"""AWS KMS as moto's server plays it, and a server that only refuses as the real one does."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, Protocol

import boto3
from moto.kms.models import kms_backends

ACCOUNT: Final = "123456789012"  # moto's
REGION: Final = "eu-central-1"
SECRET: Final = "the-secret-access-key-of-no-one"


class Administration(Protocol):
    """What tests do at KMS as its administrators."""

    def create_key(self, **options: str) -> dict[str, Any]: ...

    def create_alias(self, *, AliasName: str, TargetKeyId: str) -> object: ...  # noqa: N803 - as KMS spells it

    def update_alias(self, *, AliasName: str, TargetKeyId: str) -> object: ...  # noqa: N803 - as KMS spells it

    def disable_key(self, *, KeyId: str) -> object: ...  # noqa: N803 - as KMS spells it

    def schedule_key_deletion(self, *, KeyId: str) -> object: ...  # noqa: N803 - as KMS spells it


def administration(address: str, region: str = REGION) -> Administration:
    """A client of its own."""
    client: Administration = boto3.client(
        "kms", region_name=region, endpoint_url=address, aws_access_key_id="admin", aws_secret_access_key=SECRET
    )
    return client


def new_key(kms: Administration, **options: str) -> str:
    """The ARN of a new key."""
    arn: str = kms.create_key(**options)["KeyMetadata"]["Arn"]
    return arn


def delete(arn: str) -> None:
    """End a key at once, as KMS does when its waiting period is over; moto has no clock for that."""
    kms_backends[ACCOUNT][arn.split(":")[3]].keys.pop(arn.rpartition("/")[2])


class Refusing(ThreadingHTTPServer):
    """KMS that answers everything with one error, in the shape of its protocol (JSON 1.1)."""

    code = ""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Refusal)
        self.asked: list[dict[str, object]] = []

    @property
    def address(self) -> str:
        """As `AWS_ENDPOINT_URL` has it."""
        return f"http://127.0.0.1:{self.server_port}"


class _Refusal(BaseHTTPRequestHandler):
    server: Refusing

    def do_POST(self) -> None:
        self.server.asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        body = {"__type": self.server.code, "message": "a message that shows what was sent: " + "k" * 32}
        content = json.dumps(body).encode()
        self.send_response(400)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Says nothing."""
