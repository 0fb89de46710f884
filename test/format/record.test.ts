import { describe, expect, it } from 'vitest';
import { WasmCore } from '../../src/device/wasm/core.js';
import { encodeImage } from '../../src/format/image.js';
import { recordLength } from '../../src/format/record.js';
import { randomModel } from '../golden/random-model.js';

describe('a record', () => {
  it.each([
    ['all layers', [true, true, true]],
    ['some', [true, false, true]],
    ['one', [false, true, false]],
  ])('takes what the core keeps in RAM of a model of which %s learn, and a word', async (_, learns) => {
    const model = randomModel({ seed: 5, rawInputs: 7, classes: 3, hidden: [6, 9, 3], learns });
    const { weights, learning } = (await WasmCore.withModel(encodeImage(model))).ram();
    expect(recordLength(model)).toBe(4 + learning + weights);
  });
});
