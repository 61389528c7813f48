"""From an HTTP request to moto and back: accounts, the call log and injected faults."""

import functools
import json
import re
import sys
import time
import traceback
from dataclasses import dataclass, field
from datetime import UTC
from email.message import Message
from email.utils import format_datetime
from http import HTTPStatus
from io import BytesIO
from typing import Any
from urllib.parse import parse_qsl
from uuid import uuid4
from xml.sax.saxutils import escape

import moto.core.responses
from moto.core.request import Request as MotoRequest
from moto.events.responses import EventsHandler
from moto.sqs.responses import SQSResponse
from moto.sts.responses import TokenResponse

from account import Account, account
from chunked import unpacked
from ebs import LocalEBS
from ec2 import LocalEC2
from s3 import LocalS3
from s3_request import s3_call

# moto lists the thousand methods of its EC2 class anew for every call.
moto.core.responses.method_names_from_class = functools.cache(moto.core.responses.method_names_from_class)

SERVICES = {
    "ebs": LocalEBS,
    "ec2": LocalEC2,
    "events": EventsHandler,
    "s3": LocalS3,
    "sqs": SQSResponse,
    "sts": TokenResponse,
}

CREDENTIAL = re.compile(r"Credential=(\d{12})/\d+/[^/]+/([^/]+)/")
VOLUME_ID = re.compile(r"<volumeId>([^<]+)</volumeId>")
ERROR_CODE = re.compile(rb"<Code>([^<]+)</Code>")
# What the server says itself, whatever moto thinks of it.
OF_THE_SERVER = {"connection", "content-length", "content-type", "date", "server", "transfer-encoding"}


@dataclass
class Request:
    method: str
    path: str
    query: str
    headers: Message
    body: bytes


@dataclass
class Answer:
    status: int
    content_type: str
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    # The account's clock, where one answered.
    date: str | None = None
    # Of the object that a HEAD asks about: its answer has no body.
    length: int | None = None


class MotoServerRequest(MotoRequest):
    # So that moto leaves the Date header to the server.
    from_wsgi_server = True


def handle(request: Request) -> Answer | None:
    """Answers a call; `None` means: break the connection without a word."""
    credential = CREDENTIAL.search(request.headers.get("Authorization", ""))
    if not credential:
        return xml_error("AuthFailure", "The access key id must be a 12-digit account number.", 401)
    owner, service = account(credential[1]), credential[2]
    if service not in SERVICES:
        return xml_error("UnknownService", f"The local AWS has no {service}.", 404)

    if service == "s3":
        try:
            request.body = unpacked(request.headers, request.body)
        except ValueError as error:
            return error_answer(request, "IncompleteBody", str(error), 400)
    action, params = call_of(request, service)
    call = owner.begin(action, params, request.headers.get("X-Amz-Security-Token"))
    if not call:
        return None
    effect = owner.take_fault(action, params, request.body)
    # A call whose answer is lost has been carried out all the same.
    call["performed"] = not (effect.get("error") or effect.get("dropped"))
    answer = perform(request, owner, service, call, effect)
    if answer:
        answer.date = format_datetime(owner.now().replace(tzinfo=UTC), usegmt=True)
    call["status"] = answer and answer.status
    call["error"] = answer and error_code(answer)
    call["ended"] = time.time()
    return answer


def call_of(request: Request, service: str) -> tuple[str, dict[str, Any]]:
    if service == "ebs":
        return ebs_call(request)
    if service == "s3":
        return s3_call(request.method, request.path, request.query, request.headers)
    body = request.body.decode(errors="replace")
    target = request.headers.get("X-Amz-Target")
    if target:
        return target.rpartition(".")[2], json.loads(body or "{}")
    params = dict(parse_qsl(body or request.query, keep_blank_values=True))
    return params.get("Action", ""), params


def ebs_call(request: Request) -> tuple[str, dict[str, Any]]:
    """EBS has paths where the others have names."""
    _, _, *rest = request.path.split("/")
    match request.method, rest:
        case "GET", [snapshot, "blocks"]:
            return "ListSnapshotBlocks", {"SnapshotId": snapshot}
        case "GET", [snapshot, "blocks", index]:
            return "GetSnapshotBlock", {"SnapshotId": snapshot, "BlockIndex": index}
        case "PUT", [snapshot, "blocks", index]:
            return "PutSnapshotBlock", {"SnapshotId": snapshot, "BlockIndex": index}
    return f"{request.method} {request.path}", {}


def perform(
    request: Request, owner: Account, service: str, call: dict[str, Any], effect: dict[str, Any]
) -> Answer | None:
    delay = effect.get("delay_ms", 0) / 1000
    if effect.get("when", "before") == "before":
        time.sleep(delay)
    if error := effect.get("error"):
        return error_answer(request, error["code"], error.get("message", ""), error.get("status", 400), error.get("reason"))
    if effect.get("dropped"):
        return None

    late, lost = effect.get("late"), effect.get("lost")
    with owner.lock:
        owner.late_seconds = late["seconds"] if late else 0.0
        try:
            answer = ask_moto(request, owner, service)
        finally:
            owner.late_seconds = 0.0
        if call["action"] == "PutEvents" and answer.status == 200:
            keep_events(owner, call["params"], answer)
        if call["action"] == "CreateVolume" and answer.status == 200:
            call["made"] = VOLUME_ID.search(answer.body.decode())[1]

    if effect.get("when") == "after":
        time.sleep(delay)
    if late or lost == "connection":
        return None
    if lost:
        return error_answer(request, "InternalError", "An internal error has occurred", int(lost))
    return answer


def ask_moto(request: Request, owner: Account, service: str) -> Answer:
    environ = {
        "REQUEST_METHOD": request.method,
        "PATH_INFO": request.path,
        "QUERY_STRING": request.query,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(request.body),
        # So that werkzeug reads it in one go.
        "wsgi.input_terminated": True,
        "CONTENT_TYPE": request.headers.get("Content-Type", ""),
        "CONTENT_LENGTH": str(len(request.body)),
    }
    for name in request.headers:
        # A list may come as several headers of one name.
        environ[f"HTTP_{name.upper().replace('-', '_')}"] = ",".join(request.headers.get_all(name))
    # What moto itself offers for tests with several accounts.
    environ["HTTP_X_MOTO_ACCOUNT_ID"] = owner.id
    try:
        status, headers, body = SERVICES[service].dispatch(MotoServerRequest(environ))
    except NotImplementedError as error:
        # EC2's answer to a filter it doesn't know; moto raises for those it lacks, too.
        if "filter" in str(error).lower():
            return error_answer(request, "InvalidParameterValue", f"The filter is invalid: {error}", 400)
        return error_answer(request, "InvalidAction", str(error), 400)
    except Exception as error:
        # A hole in moto, never something real AWS would say: worth a trace.
        traceback.print_exc(file=sys.stderr)
        return error_answer(request, "InternalError", f"moto failed: {error!r}", 500)
    said = {name.lower(): str(value) for name, value in headers.items()}
    content_type = said.get("content-type") or default_content_type(request)
    length = int(said["content-length"]) if request.method == "HEAD" and "content-length" in said else None
    kept = {name: value for name, value in said.items() if name not in OF_THE_SERVER}
    return Answer(int(status), content_type, body.encode() if isinstance(body, str) else body, kept, length=length)


def keep_events(owner: Account, params: dict[str, Any], answer: Answer) -> None:
    for entry, result in zip(params["Entries"], json.loads(answer.body)["Entries"], strict=True):
        if "ErrorCode" not in result:
            owner.events.append({**entry, "Detail": json.loads(entry["Detail"])})


def default_content_type(request: Request) -> str:
    return "application/x-amz-json-1.1" if request.headers.get("X-Amz-Target") else "text/xml;charset=UTF-8"


def error_answer(request: Request, code: str, message: str, status: int, reason: str | None = None) -> Answer:
    authorization = request.headers.get("Authorization", "")
    if "/s3/" in authorization:
        return s3_error(code, message, status)
    if request.headers.get("X-Amz-Target") or "/ebs/" in authorization:
        body = json.dumps({"__type": code, "message": message} | ({"Reason": reason} if reason else {}))
        return Answer(status, default_content_type(request), body.encode())
    return xml_error(code, message, status)


def xml_error(code: str, message: str, status: int) -> Answer:
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<Response><Errors><Error><Code>{escape(code)}</Code><Message>{escape(message)}</Message></Error></Errors>"
        f"<RequestID>{uuid4()}</RequestID></Response>"
    )
    return Answer(status, "text/xml;charset=UTF-8", body.encode())


def s3_error(code: str, message: str, status: int) -> Answer:
    content = f"<Code>{escape(code)}</Code><Message>{escape(message)}</Message><RequestId>{uuid4()}</RequestId>"
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error>{content}</Error>'
    return Answer(status, "application/xml", body.encode())


def error_code(answer: Answer) -> str | None:
    # S3 may notice that an upload cannot be completed when it has answered 200 already.
    if answer.status < 400 and b"<Error>" not in answer.body[:100]:
        return None
    if answer.body and "json" in answer.content_type:
        return json.loads(answer.body).get("__type", "").rpartition("#")[2]
    found = ERROR_CODE.search(answer.body)
    # To HEAD there is no more than the status.
    return found[1].decode() if found else HTTPStatus(answer.status).phrase.replace(" ", "")
