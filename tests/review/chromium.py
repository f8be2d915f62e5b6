"""Chromium without a driver: its DevTools protocol over a pipe, one page at a time."""

import fcntl
import json
import os
import shutil
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

WHERE = next((found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None)
MISSING = "there is no Chromium here: apt-get install chromium"
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars"]
FLAGS += ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--remote-debugging-pipe"]


@dataclass
class Seen:
    """What happened while a page was open: what it asked for, and what went wrong."""

    requests: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


class Chromium:
    """A headless browser; `open` shows a page at a width, `run` evaluates JavaScript in it, whatever its policy allows."""

    def __init__(self, profile: Path):
        self._from, theirs_out = os.pipe()
        theirs_in, self._to = os.pipe()
        high = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in (theirs_in, theirs_out)]
        ends = [(os.POSIX_SPAWN_DUP2, end, at) for at, end in enumerate(high, start=3)]  # Chromium reads 3 and writes 4
        quiet = [(os.POSIX_SPAWN_OPEN, at, os.devnull, os.O_WRONLY, 0) for at in (1, 2)]
        line = [WHERE, *FLAGS, f"--user-data-dir={profile}", "about:blank"]
        self._process = os.posix_spawn(WHERE, line, os.environ, file_actions=[*ends, *quiet])
        for end in (theirs_in, theirs_out, *high):
            os.close(end)
        self._left, self._sent, self._session, self.seen = b"", 0, None, Seen()

    def __enter__(self) -> "Chromium":
        return self

    def __exit__(self, *_: object) -> None:
        self._session = None
        with suppress(AssertionError, OSError):
            self.ask("Browser.close")
        os.close(self._to)
        os.waitpid(self._process, 0)
        os.close(self._from)

    def open(self, page: Path, *, width: int, height: int = 900, scripts: bool = True) -> Seen:
        """Open a file at a width and wait until it has loaded; return what is seen of it. Its scripts may be off."""
        self._session = None
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.ask(f"{domain}.enable")
        is_phone = width < 700
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=is_phone)
        self.ask("Emulation.setScriptExecutionDisabled", value=not scripts)
        self.seen = Seen()
        self.ask("Page.navigate", url=page.as_uri())
        while self._heard()["method"] != "Page.loadEventFired":
            pass
        return self.seen

    def run(self, script: str) -> object:
        """Return what an expression evaluates to; a thrown error is raised."""
        told = self.ask("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in told:
            raise AssertionError(told["exceptionDetails"])
        return told["result"].get("value")

    def ask(self, method: str, **params: object) -> dict:
        """Send a command and return its answer."""
        self._sent += 1
        message = {"id": self._sent, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while True:
            told = self._next()
            if told.get("id") == self._sent:
                assert "error" not in told, told
                return told["result"]
            self._note(told)

    def _heard(self) -> dict:
        told = self._next()
        self._note(told)
        return {"method": ""} | told

    def _next(self) -> dict:
        while b"\0" not in self._left:
            part = os.read(self._from, 1 << 16)
            assert part, "Chromium went away"
            self._left += part
        message, self._left = self._left.split(b"\0", 1)
        return json.loads(message)

    def _note(self, told: dict) -> None:
        method, params = told.get("method"), told.get("params", {})
        if method == "Network.requestWillBeSent":
            self.seen.requests.append(params["request"]["url"])
        elif method == "Log.entryAdded" and params["entry"]["level"] in ("error", "warning"):
            self.seen.errors.append(params["entry"]["text"])
        elif method == "Runtime.exceptionThrown":
            self.seen.errors.append(json.dumps(params["exceptionDetails"]))
        elif method == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning", "assert"):
            self.seen.errors.append(json.dumps(params["args"]))
