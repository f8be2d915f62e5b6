// The weights workshop: what other weights would have brought on later deals, and whom they would move today.
// Each function does what the Python function of its comment does, to the last digit shown.
"use strict";

// review/workshop.py: packed
async function unpacked(text, n) {
  const bytes = await inflated(text);
  const numbers = new Float64Array(n);
  for (let at = bytes.length - 1; at >= 0; at--) numbers[at % n] = numbers[at % n] * 256 + bytes[at];
  return numbers;
}

async function inflated(text) {
  const zipped = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const stream = new Blob([zipped]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

async function criteriaOf(packed, n, nCriteria) {
  const columns = [];
  for (let k = 0; k < nCriteria; k++) columns.push((await unpacked(packed["c" + k], n)).map((tenths) => tenths / 10));
  return columns;
}

async function readLater(data) {
  const { later } = data;
  const n = Math.ceil(later.n / later.step);
  const log = (await unpacked(later.log, n)).map((steps) => (steps + later.lowest) / 1e6);
  const [criteria, account] = [await criteriaOf(later, n, data.criteria.length), await unpacked(later.account, n)];
  const { unit, capacity, step, seed, n_boot } = later;
  return { n, log, criteria, account, unit, capacity, step, seed, n_boot, value: log.map(Math.exp) };
}

async function readToday(data) {
  const { today } = data;
  const { n, unit, seats, cost, step } = today;
  let steps = today.highest;
  const log = (await unpacked(today.fallen, n)).map((fallen) => (steps -= fallen) / 1e9).fill(-Infinity, today.n_worth);
  const names = new TextDecoder().decode(await inflated(today.names)).split("\n");
  const named = await unpacked(today.named, names.length);
  const name = new Map(names.map((text, at) => [named[at], text]));
  return { n, log, criteria: await criteriaOf(today, n, data.criteria.length), name, unit, seats, cost, step, worth: log.map(Math.exp) };
}

// weights/overrides.py: rescaled, weights/criteria.py: integers_to. Returns null where points are left and nothing else weighs.
function rescaled(learnt, held) {
  const isHeld = learnt.map((_, k) => held.has(k));
  const left = 100 - [...held.values()].reduce((sum, weight) => sum + weight, 0);
  const rest = learnt.reduce((sum, weight, k) => sum + (isHeld[k] ? 0 : weight), 0);
  if (left > 0 && rest === 0) return null;
  const exact = learnt.map((weight, k) => (isHeld[k] || rest === 0 ? 0 : (weight / rest) * left));
  const whole = exact.map((share) => Math.floor(share + 1e-9));
  let missing = rest === 0 ? 0 : left - whole.reduce((sum, share) => sum + share, 0);
  const places = learnt.map((_, k) => k).filter((k) => !isHeld[k]);
  places.sort((a, b) => whole[a] - exact[a] - (whole[b] - exact[b]) || a - b);
  for (const k of places) if (missing-- > 0) whole[k] += 1;
  return learnt.map((_, k) => (isHeld[k] ? held.get(k) : whole[k]));
}

// weights/overrides.py: log_shift, added to the rows' logs
function movedBy(rows, before, after) {
  const moved = Float64Array.from(rows.log);
  before.forEach((weight, k) => {
    const by = (rows.unit * (after[k] - weight)) / 100;
    const score = rows.criteria[k];
    if (by !== 0) for (let at = 0; at < moved.length; at++) moved[at] += by * score[at];
  });
  return moved;
}

function inOrder(by) {
  return Uint32Array.from(by, (_, at) => at).sort((a, b) => by[b] - by[a] || a - b);
}

// weights/fidelity.py: captured; `order` is that of `by`, `times` how often each row counts
function captured(by, order, value, times, capacity) {
  const total = times ? order.reduce((sum, at) => sum + times[at], 0) : order.length;
  const reach = capacity * total;
  let [rows, money, rowsBefore, moneyBefore] = [0, 0, 0, 0];
  for (let place = 0; place < order.length; place++) {
    const n = times ? times[order[place]] : 1;
    rows += n;
    money += n * value[order[place]];
    if (place + 1 < order.length && by[order[place + 1]] === by[order[place]]) continue;
    if (rows >= reach && rows > rowsBefore) return moneyBefore + ((reach - rowsBefore) / (rows - rowsBefore)) * (money - moneyBefore);
    [rowsBefore, moneyBefore] = [rows, money];
  }
  return money;
}

// weights/overrides.py: price, without its interval
function priceOf(later, before, after) {
  const moved = movedBy(later, before, after);
  const [own, other] = [inOrder(later.log), inOrder(moved)];
  const change = (times) => {
    const held = captured(later.log, own, later.value, times, later.capacity);
    return { held, change: captured(moved, other, later.value, times, later.capacity) - held };
  };
  return { ...change(null), again: change };
}

// weights/overrides.py: the 95 % range of price, over the accounts that page_draws draws
function rangeOf(later, price) {
  const nDraws = later.n_boot;
  const nAccounts = later.account.reduce((most, code) => Math.max(most, code), -1) + 1;
  let state = later.seed | 0;
  const random = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
  const found = [];
  for (let draw = 0; draw < nDraws; draw++) {
    const drawn = new Uint16Array(nAccounts);
    for (let k = 0; k < nAccounts; k++) drawn[Math.floor(random() * nAccounts)] += 1;
    found.push(price.again(later.account.map((code) => drawn[code])).change * later.step);
  }
  found.sort((a, b) => a - b);
  const quantile = (share) => {
    const [at, low] = [share * (nDraws - 1), Math.floor(share * (nDraws - 1))];
    return found[low] + (at - low) * (found[Math.min(low + 1, nDraws - 1)] - found[low]);
  };
  return [quantile(0.025), quantile(0.975)];
}

// scoring/tiers.py: cut_tiers without the tiers of last time. 0 is A, 1 is B, 2 is C.
function tiersOf(today, moved) {
  const code = new Uint8Array(today.n).fill(2);
  const order = inOrder(moved);
  today.seats.forEach((seats, tier) => {
    let free = seats;
    for (const at of order) {
      if (free <= 0) break;
      if (code[at] !== 2) continue;
      free -= 1;
      if (!(today.cost[tier] > 0) || today.worth[at] >= today.cost[tier]) code[at] = tier;
    }
  });
  return code;
}

// flows/agree.py: the accounts that stand in another tier, those of most worth first
function moversOf(today, before, after) {
  const [up, down] = [[], []];
  for (let at = 0; at < today.n; at++) {
    if (after[at] < before[at]) up.push(at);
    if (after[at] > before[at]) down.push(at);
  }
  return { up, down };
}

function yamlOf(data, held) {
  const { todo } = data;
  const lines = ["overrides:"];
  for (const [k, weight] of held) {
    const name = data.criteria[k];
    const signed = data.overrides.find((one) => one.criterion === name && one.weight === weight);
    lines.push(`  - criterion: ${JSON.stringify(name)}`, `    weight: ${weight}`);
    lines.push(signed ? `    who: ${JSON.stringify(signed.who)}` : `    who:  # ${todo[0]}`);
    lines.push(signed ? `    why: ${JSON.stringify(signed.why)}` : `    why:  # ${todo[1]}`);
    lines.push(`    agreed_on: ${signed ? signed.agreed_on : data.as_of}`);
    lines.push(signed ? `    until: ${signed.until}` : `    until:  # ${todo[2].replace("{day}", data.until)}`);
  }
  return lines.length > 1 ? lines.join("\n") + "\n" : "overrides: []\n";
}

function said(phrase, values) {
  return phrase.replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

function formats(data) {
  const number = (value, digits = 0) => new Intl.NumberFormat(data.locale, { maximumFractionDigits: digits, minimumFractionDigits: digits }).format(value);
  const money = (value) => {
    const digits = Math.abs(value) > 0 && Math.abs(value) < 100 ? 2 : 0;
    const how = { maximumFractionDigits: digits, minimumFractionDigits: digits, signDisplay: "negative" };
    if (!data.currency) return new Intl.NumberFormat(data.locale, how).format(value);
    return new Intl.NumberFormat(data.locale, { ...how, style: "currency", currency: data.currency }).format(value);
  };
  const share = (value) => new Intl.NumberFormat(data.locale, { style: "percent", maximumFractionDigits: 1, minimumFractionDigits: 1, signDisplay: "exceptZero" }).format(value);
  const worth = (value) => (data.later.in_money ? money(value) : number(value, 1));
  return { number, share, worth };
}

async function start() {
  const data = JSON.parse(document.getElementById("workshop-data").textContent);
  const [later, today] = [await readLater(data), await readToday(data)];
  const { say } = data;
  const write = formats(data);
  const at = (id) => document.getElementById("workshop-" + id);
  const sliders = data.criteria.map((_, k) => at("slider-" + k));
  const before = tiersOf(today, today.log);
  let held = new Map(Object.entries(data.held).map(([name, weight]) => [data.criteria.indexOf(name), weight]));

  function listed(list, movers, tiers) {
    list.replaceChildren(
      ...movers.slice(0, 10).map((row) => {
        const [line, who, how] = ["li", "bdi", "span"].map((tag) => document.createElement(tag));
        who.textContent = today.name.get(row) ?? said(say.rank, { n: write.number(row * today.step + 1) });
        const value = data.later.in_money ? `, ${write.worth(today.worth[row])}` : "";
        how.textContent = ` ${"ABC"[before[row]]} → ${"ABC"[tiers[row]]}${value}`;
        line.append(who, how);
        return line;
      }),
    );
  }

  function show(isSettled) {
    const weights = rescaled(data.learnt, held);
    sliders.forEach((slider, k) => {
      const isHeld = held.has(k);
      slider.value = weights[k];
      at("weight-" + k).textContent = write.number(weights[k]);
      at("free-" + k).disabled = !isHeld;
      slider.closest(".lever").classList.toggle("held", isHeld);
    });
    const price = priceOf(later, data.learnt, weights);
    const isMoved = weights.some((weight, k) => weight !== data.learnt[k]);
    const change = { change: write.worth(price.change * later.step), share: write.share(price.held > 0 ? price.change / price.held : 0) };
    at("change").textContent = isMoved ? said(say.change, change) : say.none;
    const [low, high] = isSettled && isMoved ? rangeOf(later, price).map(write.worth) : [];
    at("range").textContent = low === undefined ? "" : said(say.range, { low, high });
    const tiers = tiersOf(today, movedBy(today, data.learnt, weights));
    const { up, down } = moversOf(today, before, tiers);
    const counts = { n: up.length + down.length, up: up.length, down: down.length };
    for (const name of Object.keys(counts)) counts[name] = write.number(counts[name] * today.step);
    at("moved").textContent = up.length + down.length ? said(say.moved, counts) : say.none_moved;
    listed(at("up"), up, tiers);
    listed(at("down"), down, tiers);
    at("yaml").value = yamlOf(data, held);
    at("copied").textContent = "";
  }

  sliders.forEach((slider, k) => {
    const set = (isSettled) => {
      const others = [...held].reduce((sum, [other, weight]) => sum + (other === k ? 0 : weight), 0);
      const next = new Map(held).set(k, Math.min(Number(slider.value), 100 - others));
      if (rescaled(data.learnt, next)) held = next;
      show(isSettled);
    };
    slider.addEventListener("input", () => set(false));
    slider.addEventListener("change", () => set(true));
    at("free-" + k).addEventListener("click", () => {
      held.delete(k);
      show(true);
      slider.focus();
    });
  });
  at("reset").addEventListener("click", () => {
    held = new Map();
    show(true);
  });
  at("copy").addEventListener("click", async () => {
    at("yaml").select();
    const done = await navigator.clipboard?.writeText(at("yaml").value).then(() => true, () => false);
    at("copied").textContent = done ? say.copied : say.select;
  });
  show(true);
  at("bench").hidden = false;
  at("without").hidden = true;
}

if (typeof document !== "undefined") start();
