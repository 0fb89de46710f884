/** The page of `goodness train --watch browser`: one file, drawn from server-sent events. */
export const LIVE_PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>{{title}}</title>
<style>
  :root { color-scheme: light dark; --fine: #2a8f4d; --bad: #c8442c; --line: #8888; }
  body { font: 15px/1.4 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem; }
  h1 { font-size: 1.2rem; }
  h2 { font-size: 1rem; margin: 1.5rem 0 .3rem; font-weight: 600; }
  svg { width: 100%; height: 9rem; border-left: 1px solid var(--line); border-bottom: 1px solid var(--line); }
  path { fill: none; stroke-width: 2; vector-effect: non-scaling-stroke; }
  .positive { stroke: var(--fine); color: var(--fine); } .negative { stroke: var(--bad); color: var(--bad); }
  .threshold { stroke: var(--line); stroke-dasharray: 4 4; } .error { stroke: currentColor; }
  .scale { display: flex; justify-content: space-between; font-size: .8rem; opacity: .7; }
</style>
<h1>{{title}}</h1>
<p id="state">waiting for the first figures</p>
<div id="plots"></div>
<script>
  const past = [];
  const plots = new Map();
  const number = (v) => v == null ? '-' : Math.abs(v) >= 100 ? v.toFixed(0) : v.toFixed(2);
  function plot(name, title, lines) {
    if (!plots.has(name)) {
      const box = document.createElement('div');
      box.innerHTML = '<h2></h2><svg viewBox="0 0 1000 100" preserveAspectRatio="none"></svg><div class="scale"><span></span><span></span></div>';
      document.getElementById('plots').append(box);
      plots.set(name, box);
    }
    const box = plots.get(name);
    box.querySelector('h2').textContent = title;
    const all = lines.flatMap((l) => l.values).filter((v) => v != null);
    const low = Math.min(...all), high = Math.max(...all), range = high > low ? high - low : 1;
    const last = Math.max(1, past.length - 1);
    box.querySelector('svg').innerHTML = lines.map(({ kind, values }) => {
      let pen = 'M';
      const d = values.map((v, i) => {
        if (v == null) { return ''; }
        const p = pen + (1000 * i / last).toFixed(1) + ' ' + (98 - 96 * (v - low) / range).toFixed(1);
        pen = 'L';
        return p;
      }).join('');
      return '<path class="' + kind + '" d="' + d + '"/>';
    }).join('');
    const [a, b] = box.querySelectorAll('.scale span');
    a.textContent = all.length ? 'from ' + number(low) + ' to ' + number(high) : '';
    b.textContent = 'step ' + past[past.length - 1].step;
  }
  function draw() {
    const now = past[past.length - 1];
    document.getElementById('state').textContent = 'epoch ' + now.epoch + ' of ' + now.epochs + ', step ' + now.step + ' of ' + now.steps +
      ', ' + Math.round(now.samplesPerSecond) + ' samples a second, learning rate ' + now.learningRate.toPrecision(3);
    now.layers.forEach((layer, l) => {
      const line = (kind) => ({ kind, values: past.map((p) => p.layers[l][kind]) });
      plot('layer' + l, 'Goodness of layer ' + (l + 1) + ': positive ' + number(layer.positive) + ', negative ' + number(layer.negative) +
        ', threshold ' + number(layer.threshold), ['threshold', 'negative', 'positive'].map(line));
    });
    plot('loss', 'Loss ' + now.layers.map((l) => number(l.loss)).join(', '),
      now.layers.map((_, l) => ({ kind: 'error', values: past.map((p) => p.layers[l].loss) })));
    if (past.some((p) => p.heldOut != null)) {
      plot('held', 'Error on what is held out: ' + number(now.heldOut) + '%', [{ kind: 'error', values: past.map((p) => p.heldOut) }]);
    }
  }
  let due = false;
  const events = new EventSource('/events');
  events.onmessage = ({ data }) => {
    past.push(JSON.parse(data));
    if (due) return;
    due = true;
    requestAnimationFrame(() => { due = false; draw(); });
  };
  events.addEventListener('end', () => {
    events.close();
    document.getElementById('state').textContent += ' (ended)';
  });
</script>
</html>
`;
