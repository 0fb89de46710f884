import { readdirSync, readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { WasmCore } from '../../src/device/wasm/core.js';
import { crc32 } from '../../src/format/crc32.js';
import type { GoldenCase } from '../golden/cases.js';
import { farCore } from '../golden/core-builds.js';

const folder = new URL('../golden/vectors/', import.meta.url);
const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'base64'));
const base64 = (data: Uint8Array): string => Buffer.from(data).toString('base64');

/** The image as the core gives it keeps the CRC of the one it was loaded from: put in the one that fits. */
function sealed(image: Uint8Array): Uint8Array {
  const copy = image.slice();
  new DataView(copy.buffer).setUint32(12, crc32(copy.subarray(16)), true);
  return copy;
}

/** Builds of the core: flash as memory, and flash in an address space of its own (`FF_ROM_FAR`). */
const modules: Partial<Record<'near' | 'far', WebAssembly.Module>> = {};
beforeAll(async () => {
  modules.far = await farCore();
}, 180_000);

describe.each(readdirSync(folder))('the firmware core in WebAssembly on %s', (file) => {
  const golden = JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as GoldenCase;
  const inputs = bytes(golden.inputs);
  const raw = inputs.length / golden.labels.length;
  const sampleAt = (i: number): Uint8Array => inputs.subarray(i * raw, (i + 1) * raw);

  it.each(['near', 'far'] as const)(
    'with %s flash infers, learns, keeps statistics and takes a patch byte for byte as the reference did',
    async (build) => {
      const core = await WasmCore.withModel(bytes(golden.image), modules[build]);
      golden.labels.forEach((label, i) => {
        const { scores, onward = '', ...outcome } = golden.infer[i]!;
        expect(core.infer(sampleAt(i), label)).toEqual(outcome);
        expect(base64(core.onward())).toBe(onward);
        expect([...core.scores()]).toEqual(scores);
        golden.traces[i]!.forEach((trace, layer) => {
          const y = core.trace(sampleAt(i), layer);
          expect(base64(new Uint8Array(y.buffer, y.byteOffset, y.byteLength))).toBe(trace);
        });
      });
      if (golden.learn.length === 0) return;
      core.statistics(golden.statisticsLevel);
      golden.learn.forEach(({ onward = '', ...outcome }, i) => {
        const k = i % golden.labels.length;
        expect(core.learn(sampleAt(k), golden.labels[k]!)).toEqual(outcome);
        expect(base64(core.onward())).toBe(onward);
      });
      expect(base64(sealed(core.image()))).toBe(golden.imageAfter);
      if (golden.statisticsLevel > 0) expect(base64(core.read(1, 0, 65535))).toBe(golden.statisticsAfter);
      core.applyPatch(bytes(golden.patch), golden.ticket);
      expect(base64(sealed(core.image()))).toBe(golden.imagePatched);
    },
  );
});
