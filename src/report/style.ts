/** Style of the report; it follows the reader's light or dark setting. */
export const STYLE = `
:root{color-scheme:light dark;--ink:#1c2430;--paper:#fff;--soft:#6b7685;--grid:#e3e7ec;--device:#1769aa;--control:#c77800;--clean:#2a8a4a;--bad:#c0392b}
@media(prefers-color-scheme:dark){:root{--ink:#e6e9ee;--paper:#15191f;--soft:#97a3b3;--grid:#2b323c;--device:#5aaef0;--control:#f0b04c;--clean:#63c987;--bad:#ef6f61}}
body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:56rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.6rem}h2{font-size:1.15rem;margin-top:2.2rem}
table{border-collapse:collapse;margin:.6rem 0;font-variant-numeric:tabular-nums}
th,td{padding:.2rem .6rem;text-align:right;border-bottom:1px solid var(--grid)}th:first-child,td:first-child{text-align:left}
section{overflow-x:auto}svg{width:100%;max-width:44rem;height:auto}svg text{fill:var(--soft);font-size:12px}
figure{margin:1rem 0}figcaption{color:var(--soft)}
.grid{stroke:var(--grid)}.axis{stroke:var(--soft)}
polyline.device{fill:none;stroke:var(--device);stroke-width:2.5}circle.device{fill:var(--device)}
circle.control{fill:var(--control)}circle.clean{fill:var(--clean)}
line.frozen{stroke:var(--bad);stroke-dasharray:5 4}line.sync{stroke:var(--soft);stroke-dasharray:2 4}
rect.own{fill:var(--clean);opacity:.65}rect.rival{fill:var(--bad);opacity:.5}line.threshold{stroke:var(--ink);stroke-width:2}
.legend{color:var(--soft);font-size:13px}.key{margin-right:1.2rem}.key::before{content:"";display:inline-block;width:.8em;height:.8em;margin-right:.4em;border-radius:2px;background:var(--device)}
.key.rival::before{background:var(--bad)}.key.own::before{background:var(--clean)}.key.threshold::before{background:var(--ink)}
.confusion td{text-align:center;min-width:1.9rem;padding:.15rem .3rem}.confusion .right{font-weight:600}
.memory .bar{width:16rem}.memory i{display:block;height:.8em;background:var(--device);border-radius:2px}
`;
