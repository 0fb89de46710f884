import type { RamSplit } from '../device/wasm/core.js';

const PARTS: readonly (readonly [keyof RamSplit, string])[] = [
  ['weights', 'weights that learn'],
  ['inference', 'inference: input, accumulators, goodness'],
  ['learning', 'learning: running means, counters, thresholds'],
  ['statistics', 'class statistics (only while a sync wants them)'],
];

/** RAM of the device, part by part, as bars. */
export function memoryTable(ram: RamSplit): string {
  const most = Math.max(1, ...PARTS.map(([part]) => ram[part]));
  const rows = PARTS.map(
    ([part, text]) =>
      `<tr><th scope="row">${text}</th><td>${ram[part].toLocaleString('en')} bytes</td>` +
      `<td class="bar"><i style="width:${((100 * ram[part]) / most).toFixed(1)}%"></i></td></tr>`,
  );
  return `<table class="memory">${rows.join('')}</table>`;
}
