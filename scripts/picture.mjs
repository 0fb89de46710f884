// Draws docs/result.svg from the JSON line of a demo: `npm start -- --json | node scripts/picture.mjs`. Another file can be named.
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { errorChart } from '../dist/report/error-chart.js';
import { STYLE } from '../dist/report/style.js';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const lines = (await text(process.stdin)).trim().split('\n');
const chart = errorChart(JSON.parse(lines.at(-1)));
const [, width, height] = /viewBox="0 0 (\d+) (\d+)"/.exec(chart);
const style = `${STYLE} svg{background:#fff;font-family:system-ui,sans-serif} :root{--ink:#1c2430;--soft:#6b7685;--grid:#e3e7ec;--device:#1769aa;--control:#c77800;--clean:#2a8a4a;--bad:#c0392b}`;
writeFileSync(
  process.argv[2] ?? join(root, 'docs/result.svg'),
  `${chart.replace('>', ` width="${width}" height="${height}"><style>${style}</style>`)}\n`,
);
