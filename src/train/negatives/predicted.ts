import type { Random } from '../../base/random.js';
import type { Product } from '../forward.js';
import type { Network, Readout } from '../network.js';
import { readoutScores } from '../objectives/readout.js';
import { drawnLabels } from './wrong-labels.js';

/**
 * Windows of symbols that end in the network's own predictions (Hinton 2022, section 3.5). With one prediction the network is forced back
 * to the real text by its teacher for every symbol; with as many as a window has symbols nothing real is left of it.
 * @param windows (rows, width) bytes, a number of symbols of `classes` inputs each; each loses its first symbols and ends in as
 *   many predicted ones
 * @param symbols predicted per window (>= 1)
 */
export function predictAhead(
  network: Network & { readonly readout: Readout },
  symbols: number,
  windows: Uint8Array,
  rows: number,
  random: Random,
  product: Product,
): void {
  const { classes, width } = network;
  const drawn = new Uint8Array(rows);
  for (let k = 0; k < symbols; k++) {
    const logits = readoutScores(network, windows, rows, product);
    drawnLabels(logits, drawn, drawn, classes, 1, random, true);
    for (let r = 0; r < rows; r++) {
      const at = r * width;
      windows.copyWithin(at, at + classes, at + width);
      windows.fill(0, at + width - classes, at + width);
      windows[at + width - classes + drawn[r]!] = 255;
    }
  }
}
