"""What runs the page's own script: Node for its functions, headless Chromium for the page; absent ones skip, saying so."""

import base64
import fcntl
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from winworth.review.workshop import script

DRIVER = """
const asked = JSON.parse(require("fs").readFileSync(0, "utf8"));
(async () => {
  const [later, today] = [await readLater(asked.data), await readToday(asked.data)];
  const before = tiersOf(today, today.log);
  const told = asked.held.map((pairs) => {
    const held = new Map(pairs);
    const weights = rescaled(asked.data.learnt, held);
    if (weights === null) return null;
    const price = priceOf(later, asked.data.learnt, weights);
    const after = tiersOf(today, movedBy(today, asked.data.learnt, weights));
    const { up, down } = moversOf(today, before, after);
    const [low, high] = asked.ranged ? rangeOf(later, price) : [null, null];
    const named = (movers) => movers.slice(0, 10).map((at) => today.name.get(at) ?? null);
    const counts = { up: up.length * today.step, down: down.length * today.step };
    const money = { captured: price.held * later.step, change: price.change * later.step, low, high };
    return { weights, ...money, ...counts, moved: [named(up), named(down)], tiers: [...after], yaml: yamlOf(asked.data, held) };
  });
  console.log(JSON.stringify(told));
})();
"""


def data_and_script(html: str) -> tuple[dict, str]:
    """Return what the page's script reads, and the script."""
    data = re.search(r'<script type="application/json" id="workshop-data">(.*?)</script>', html, re.S)[1]
    return json.loads(data), re.search(r"<script>(.*?)</script>", html, re.S)[1]


def in_node(data: dict, held: list[dict[int, int]], *, ranged: bool = False) -> list[dict | None]:
    """Run the functions of the page's script on its data for each choice of held weights, by the criterion's place."""
    node = shutil.which("node") or shutil.which("nodejs")
    if node is None:
        pytest.skip("Node is not installed: the page's script was not run. apt-get install nodejs")
    asked = json.dumps({"data": data, "held": [list(one.items()) for one in held], "ranged": ranged})
    done = subprocess.run([node, "-e", script() + DRIVER], input=asked, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


class Page:
    """A page open in headless Chromium, spoken to through a pipe; `complaints` are console errors and exceptions."""

    def __init__(self, path: Path, profile: Path, *, width: int = 1280, scripts: bool = True):
        binary = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
        if binary is None:
            pytest.skip("Chromium is not installed: the page was not opened. apt-get install chromium")
        (told, self._write), (self._read, tell) = os.pipe(), os.pipe()
        flags = "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
        flags += " --disable-component-update --disable-sync --hide-scrollbars --remote-debugging-pipe"
        self._process = subprocess.Popen(
            [binary, *flags.split(), f"--user-data-dir={profile}"],
            preexec_fn=lambda: _as_three_and_four(told, tell),
            pass_fds=(3, 4),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(told), os.close(tell)
        self._rest, self._n, self.complaints, self.requests = b"", 0, [], []
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        self._session = None
        self._session = self._call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for name in ("Runtime", "Log", "Network", "Page"):
            self._call(f"{name}.enable")
        self._call("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
        self._call("Emulation.setScriptExecutionDisabled", value=not scripts)
        self._call("Page.navigate", url=path.resolve().as_uri())
        self._until("Page.loadEventFired")

    def __enter__(self) -> "Page":
        return self

    def __exit__(self, *error: object) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._write), os.close(self._read)

    def run(self, expression: str) -> object:
        """Return what an expression gives in the page; a promise is awaited."""
        answer = self._call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def press(self, key: str) -> None:
        """Press and release a key."""
        for kind in ("rawKeyDown", "keyUp"):
            code = {"ArrowRight": 39, "ArrowLeft": 37, "Home": 36, "End": 35, "Tab": 9}[key]
            self._call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code)

    def picture(self, path: Path) -> None:
        """Keep what the whole page looks like."""
        shot = self._call("Page.captureScreenshot", captureBeyondViewport=True, format="png")
        path.write_bytes(base64.b64decode(shot["data"]))

    def _call(self, method: str, **parameters: object) -> dict:
        self._n += 1
        message = {"id": self._n, "method": method, "params": parameters}
        if getattr(self, "_session", None):
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while (answer := self._next()).get("id") != self._n:
            self._note(answer)
        assert "error" not in answer, answer
        return answer["result"]

    def _until(self, event: str) -> None:
        while (answer := self._next()).get("method") != event:
            self._note(answer)

    def _note(self, told: dict) -> None:
        method, given = told.get("method"), told.get("params", {})
        if method == "Runtime.exceptionThrown" or (method == "Log.entryAdded" and given["entry"]["level"] == "error"):
            self.complaints.append(given)
        if method == "Runtime.consoleAPICalled" and given["type"] in ("error", "assert", "warning"):
            self.complaints.append(given)
        if method == "Network.requestWillBeSent":
            self.requests.append(given["request"]["url"])

    def _next(self) -> dict:
        while b"\0" not in self._rest:
            read = os.read(self._read, 1 << 16)
            assert read, "Chromium has ended"
            self._rest += read
        message, self._rest = self._rest.split(b"\0", 1)
        return json.loads(message)


def _as_three_and_four(told: int, tell: int) -> None:
    """Give the child its pipe where --remote-debugging-pipe looks for it."""
    ends = [fcntl.fcntl(end, fcntl.F_DUPFD, 10) for end in (told, tell)]
    for at, end in enumerate(ends, start=3):
        os.dup2(end, at)
