import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { decodeImage, encodeImage } from '../../src/format/image.js';
import { decodePatch } from '../../src/format/patch.js';
import { Reference } from '../../src/reference/reference.js';
import { fromBase64, type GoldenCase, goldenCases, goldenOutcome, toBase64 } from './cases.js';

const folder = join(dirname(fileURLToPath(import.meta.url)), 'vectors');
const files = readdirSync(folder).filter((name) => name.endsWith('.json'));
const stored = files.map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as GoldenCase);

describe('golden vectors', () => {
  it('on disk are those that the generator makes', () => {
    const made = goldenCases().sort((a, b) => (a.name < b.name ? -1 : 1));
    expect(stored.map((c) => c.name).sort()).toEqual(made.map((c) => c.name));
    for (const golden of made) expect(stored.find((c) => c.name === golden.name)).toEqual(golden);
  });

  it('reach saturation, gates, revival, every flag, and both answers of each', () => {
    const flags = stored.flatMap((c) => [...c.infer, ...c.learn].map((r) => r.flags));
    for (const bit of [1, 2, 4, 8, 16]) {
      expect(flags.some((f) => (f & bit) !== 0)).toBe(true);
      expect(flags.some((f) => (f & bit) === 0)).toBe(true);
    }
  });

  it.each(stored.map((c) => [c.name, c] as const))(
    'hold for the reference, from the image in the file: %s',
    (_, golden) => {
      const model = decodeImage(fromBase64(golden.image));
      expect(toBase64(encodeImage(model))).toBe(golden.image);
      const reference = new Reference(model);
      const bytes = fromBase64(golden.inputs);
      const inputs = golden.labels.map((_, n) => bytes.subarray(n * model.rawInputs, (n + 1) * model.rawInputs));
      inputs.forEach((x, n) => {
        const result = reference.infer(x, golden.labels[n]);
        expect({ ...goldenOutcome(result), scores: [...result.scores] }).toEqual(golden.infer[n]);
      });
      reference.statistics(golden.statisticsLevel);
      for (let k = 0; k < golden.learn.length; k++) {
        const n = k % inputs.length;
        expect(goldenOutcome(reference.learn(inputs[n]!, golden.labels[n]!))).toEqual(golden.learn[k]);
      }
      expect(toBase64(reference.image())).toBe(golden.imageAfter);
      expect(toBase64(reference.statisticsBytes())).toBe(golden.statisticsAfter);
      reference.remember(golden.ticket);
      reference.applyPatch(decodePatch(fromBase64(golden.patch)));
      expect(toBase64(reference.image())).toBe(golden.imagePatched);
    },
  );
});
