"""Drives a headless Chromium over its debugging pipe (Chrome DevTools Protocol), with nothing in between.

A `Page` remembers every request and every console error from the moment it is opened, so that a test
can hold that nothing left the host and nothing went wrong.
"""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

NAMES: Final = ("chromium", "chromium-browser", "google-chrome")
PATIENCE: Final = 30.0  # seconds
_FLAGS: Final = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage"),
    *("--disable-features=Translate,OptimizationHints,MediaRouter", "--remote-debugging-pipe"),
)
_KEYS: Final = {
    "Enter": ("\r", 13),
    "Escape": ("", 27),
    "Tab": ("", 9),
    "Delete": ("", 46),
    "ArrowLeft": ("", 37),
    " ": (" ", 32),
}
_CONTROL: Final = 2


def find() -> str | None:
    """The browser's path, or None where there is none."""
    return next((path for path in map(shutil.which, NAMES) if path), None)


@contextmanager
def browser(binary: str, profile: Path) -> Iterator[Page]:
    """A new browser with an empty profile and one page."""
    to_browser, from_browser = os.pipe(), os.pipe()

    def as_three_and_four() -> None:
        # Lifted out of the way first: one of the two may be 3 or 4 itself.
        reading, writing = os.dup(to_browser[0]), os.dup(from_browser[1])
        os.dup2(reading, 3)
        os.dup2(writing, 4)

    process = subprocess.Popen(
        [binary, *_FLAGS, f"--user-data-dir={profile}", "about:blank"],
        preexec_fn=as_three_and_four,  # noqa: PLW1509 - no threads of ours run yet
        close_fds=False,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(to_browser[0])
    os.close(from_browser[1])
    try:
        yield Page(from_browser[0], to_browser[1])
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(10)
        process.kill()
        process.wait()
        os.close(to_browser[1])
        os.close(from_browser[0])


class PageLeft(AssertionError):
    """The page went away while a command was under way."""


class Page:
    """One page. `requests` are the addresses asked for; `errors` what the console and the page complained of."""

    def __init__(self, reading: int, writing: int) -> None:
        self._reading, self._writing = reading, writing
        self._rest, self._count = b"", 0
        self._session: str | None = None
        self.requests: list[str] = []
        self.errors: list[str] = []
        target = next(t for t in self.call("Target.getTargets")["targetInfos"] if t["type"] == "page")
        attached = self.call("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        # Workers make requests and complain too.
        self.call("Target.setAutoAttach", autoAttach=True, waitForDebuggerOnStart=False, flatten=True)

    def call(self, method: str, **parameters: object) -> dict[str, Any]:
        """One command; raises `AssertionError` with the browser's message when it fails."""
        self._count += 1
        self._send(self._count, method, parameters, self._session)
        deadline = time.monotonic() + PATIENCE
        wanted = self._count
        while True:
            message = self._receive(deadline)
            assert message is not None, f"the browser does not answer {method}"
            if message.get("id") == wanted:
                if "navigated" in str(message.get("error")):
                    raise PageLeft(method)
                assert "error" not in message, f"{method}: {message['error']}"
                result: dict[str, Any] = message["result"]
                return result

    def evaluate(self, script: str) -> Any:  # noqa: ANN401 - whatever JSON holds
        """The value of a script, awaited."""
        answer = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def wait(self, script: str, *, what: str = "") -> Any:  # noqa: ANN401 - whatever JSON holds
        """The first truthy value of `script`."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            with suppress(PageLeft):  # asked in the moment of a reload: the new page is asked again
                if found := self.evaluate(script):
                    return found
            time.sleep(0.1)
        raise AssertionError(f"never came: {what or script}; errors: {self.errors}; shown: {self.text()[:2000]}")

    def see(self, selector: str) -> None:
        """Wait for an element."""
        self.wait(f"!!document.querySelector({json.dumps(selector)})", what=selector)

    def text(self) -> str:
        """What is written on the page."""
        return str(self.evaluate("document.body.innerText"))

    def open(self, address: str, *, width: int = 1280, height: int = 800) -> None:
        """Go somewhere, in a window of this size."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.call("Page.navigate", url=address)

    def click(self, selector: str) -> None:
        """Click the middle of an element, as a mouse does, once it stays where it is."""
        x, y = self.wait(
            f"(async () => {{ const find = () => document.querySelector({json.dumps(selector)});"
            "const middle = e => { const r = e.getBoundingClientRect();"
            "return r.width ? [r.x + r.width / 2, r.y + r.height / 2] : null; };"
            "const e = find(); if (!e) return null; e.scrollIntoView({block: 'center'}); const before = middle(e);"
            "await new Promise(done => setTimeout(done, 60));"
            "const after = find() === e && middle(e);"
            "return after && before && after.join() === before.join() ? after : null; })()",
            what=selector,
        )
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def type(self, text: str) -> None:
        """Type into what has the focus."""
        self.call("Input.insertText", text=text)

    def press(self, key: str, *, control: bool = False) -> None:
        """Press one key."""
        text, code = _KEYS.get(key, (key, ord(key[0].upper())))
        for kind in ("keyDown", "keyUp"):
            self.call(
                "Input.dispatchKeyEvent",
                type=kind,
                key=key,
                code="Space" if key == " " else f"Key{key.upper()}" if len(key) == 1 else key,
                windowsVirtualKeyCode=code,
                modifiers=_CONTROL if control else 0,
                **({"text": text} if text and not control and kind == "keyDown" else {}),
            )

    def screenshot(self, path: Path) -> None:
        """What the window shows, as PNG."""
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))

    def _send(self, number: int, method: str, parameters: object, session: str | None) -> None:
        message: dict[str, object] = {"id": number, "method": method, "params": parameters}
        if session is not None:
            message["sessionId"] = session
        os.write(self._writing, json.dumps(message).encode() + b"\0")

    def _receive(self, deadline: float) -> dict[str, Any] | None:
        while b"\0" not in self._rest:
            ready, _, _ = select.select([self._reading], [], [], max(0.0, deadline - time.monotonic()))
            if not ready:
                return None
            self._rest += os.read(self._reading, 1 << 20)
        line, _, self._rest = self._rest.partition(b"\0")
        message: dict[str, Any] = json.loads(line)
        self._note(message.get("method", ""), message.get("params", {}))
        return message

    def _note(self, method: str, event: dict[str, Any]) -> None:
        noting = _NOTED.get(method)
        if noting is not None:
            noting(self, event)

    def _attached(self, event: dict[str, Any]) -> None:
        for domain in ("Network", "Log", "Runtime"):
            self._count += 1
            self._send(self._count, f"{domain}.enable", {}, event["sessionId"])

    def _requested(self, event: dict[str, Any]) -> None:
        self.requests.append(event["request"]["url"])

    def _console(self, event: dict[str, Any]) -> None:
        if event["type"] in ("error", "assert"):
            self.errors.append(" ".join(str(each.get("value", each.get("description"))) for each in event["args"]))

    def _thrown(self, event: dict[str, Any]) -> None:
        details = event["exceptionDetails"]
        self.errors.append(details.get("exception", {}).get("description") or details["text"])

    def _logged(self, event: dict[str, Any]) -> None:
        if event["entry"]["level"] == "error":
            self.errors.append(event["entry"]["text"])


_NOTED: Final[dict[str, Callable[[Page, dict[str, Any]], None]]] = {
    "Target.attachedToTarget": Page._attached,
    "Network.requestWillBeSent": Page._requested,
    "Runtime.consoleAPICalled": Page._console,
    "Runtime.exceptionThrown": Page._thrown,
    "Log.entryAdded": Page._logged,
}
