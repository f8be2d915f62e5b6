"""Node runs the functions of the page's own script on the page's own data."""

import json
import re
import shutil
import subprocess

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
