"""What the local AWS knows of an account beside moto's own state."""

import threading
import time
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote_plus

DEFAULT_SETTINGS = {
    "page_size": None,
    "pending_snapshots": False,
    "creating_volumes": False,
    "damaged_blocks": 0,
    "short_blocks": 0,
    "completed_uploads_last": False,
}

RULE = {"action", "where", "contains", "skip", "times", "effect"}
EFFECTS = {"error", "dropped", "lost", "late", "delay_ms", "when"}


class Fault:
    """A rule that makes some of an account's calls go wrong."""

    def __init__(self, rule: dict[str, Any]):
        # A misspelt rule would never apply, and a test that needs it would pass for nothing.
        if unknown := (rule.keys() - RULE) | (rule["effect"].keys() - EFFECTS):
            raise ValueError(f"unknown in a fault: {sorted(unknown)}")
        self.action: str = rule["action"]
        self.where: dict[str, Any] = dict(rule.get("where") or {})
        self.contains: str | None = rule.get("contains") or self.where.pop("contains", None)
        self.skip: int = rule.get("skip", 0)
        self.times: int | None = rule.get("times", 1)
        self.effect: dict[str, Any] = rule["effect"]
        self.applied = 0

    def take(self, action: str, params: dict[str, Any], body: bytes) -> bool:
        if self.action not in (action, "*") or self.times == self.applied:
            return False
        if any(params.get(name) != value for name, value in self.where.items()):
            return False
        if self.contains:
            # A block or a part is no text. The body of an EC2 call is form-encoded; a rule may quote it either way.
            text = body.decode(errors="replace")
            if self.contains not in text and self.contains not in unquote_plus(text):
                return False
        if self.skip > 0:
            self.skip -= 1
            return False
        self.applied += 1
        return True


class Account:
    def __init__(self, account_id: str):
        self.id = account_id
        # Held while moto works, never while a call sleeps: calls must be able to overlap in time.
        self.lock = threading.RLock()
        self.settings: dict[str, Any] = dict(DEFAULT_SETTINGS)
        self.clock: datetime | None = None
        self.calls: list[dict[str, Any]] = []
        self.faults: list[Fault] = []
        # The session tokens of processes that were killed: what they had sent is lost on its way.
        self.killed: set[str] = set()
        self.events: list[dict[str, Any]] = []
        self.client_tokens: dict[tuple[str, str], tuple[Any, Any]] = {}
        self.pages: dict[str, tuple[str, list[Any]]] = {}
        # Seconds for which what the call under way creates stays invisible.
        self.late_seconds = 0.0

    def now(self) -> datetime:
        """The account's time as moto holds it: UTC without saying so, and in EC2's milliseconds."""
        now = self.clock or datetime.now(UTC).replace(tzinfo=None)
        return now.replace(microsecond=now.microsecond // 1000 * 1000)

    def begin(self, action: str, params: dict[str, Any], session_token: str | None) -> dict[str, Any] | None:
        """The call's entry in the log; nothing where its process was killed before it arrived."""
        call = {"action": action, "params": params, "started": time.time(), "ended": None, "status": None, "error": None, "performed": True, "made": None}
        with self.lock:
            if session_token in self.killed:
                return None
            self.calls.append(call)
        return call

    def take_fault(self, action: str, params: dict[str, Any], body: bytes) -> dict[str, Any]:
        """The effect of the first rule that matches the call, or nothing."""
        with self.lock:
            return next((fault.effect for fault in self.faults if fault.take(action, params, body)), {})


_accounts: dict[str, Account] = {}
_accounts_lock = threading.Lock()


def account(account_id: str) -> Account:
    with _accounts_lock:
        if account_id not in _accounts:
            _accounts[account_id] = Account(account_id)
        return _accounts[account_id]


def utc(text: str) -> datetime:
    """An RFC 3339 instant as moto holds it."""
    instant = datetime.fromisoformat(text)
    return instant.astimezone(UTC).replace(tzinfo=None) if instant.tzinfo else instant
