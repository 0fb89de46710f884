import { describe, expect, it } from 'vitest';
import { describeDifference, type ParitySample, verifyLearning, verifyModel } from '../../src/device/parity.js';
import { flashModel } from '../../src/device/transfer.js';
import { WasmCore } from '../../src/device/wasm/core.js';
import { encodeImage, imageLayout } from '../../src/format/image.js';
import { randomModel } from '../golden/random-model.js';
import { IMAGE, MODEL, openRig, randomData } from './support/rig.js';

const DATA = randomData(MODEL, 41, 60);
const SAMPLES: Required<ParitySample>[] = Array.from({ length: DATA.count }, (_, i) => ({
  input: DATA.inputs.subarray(i * DATA.width, (i + 1) * DATA.width),
  label: DATA.labels[i]!,
}));

describe('parity of reference and device', () => {
  it('holds over a session and in process, activity by activity', async () => {
    const { session } = await openRig({ board: { maxPayload: 64 } });
    const clean = { samples: DATA.count, mismatches: 0 };
    expect(await verifyModel(MODEL, session, SAMPLES)).toEqual(clean);
    expect(await verifyModel(MODEL, await WasmCore.withModel(IMAGE), SAMPLES)).toEqual(clean);
    await session.close();
  });

  it('holds while both learn, to the last byte of the model', async () => {
    const { session } = await openRig();
    const clean = { samples: DATA.count, mismatches: 0 };
    expect(await verifyLearning(MODEL, session, SAMPLES)).toEqual(clean);
    expect(await verifyLearning(MODEL, await WasmCore.withModel(IMAGE), SAMPLES)).toEqual(clean);
    await session.close();
  });

  it('holds for models with the label in the input, with and without labels at hand', async () => {
    const model = randomModel({ seed: 6, rawInputs: 24, classes: 4, hidden: [16, 8], objective: 'label' });
    const core = await WasmCore.withModel(encodeImage(model));
    expect(await verifyModel(model, core, [...SAMPLES, { input: SAMPLES[0]!.input }])).toMatchObject({ mismatches: 0 });
  });

  it('names the layer and neuron of a weight that differs, and the first activity that it spoils', async () => {
    const weights = MODEL.layers[1]!.weights.slice();
    const [input, neuron] = [3, 7];
    const at = input * 12 + neuron;
    weights[at] = weights[at]! > 0 ? -100 : 100;
    const layers = [MODEL.layers[0]!, { ...MODEL.layers[1]!, weights }];
    const core = await WasmCore.withModel(encodeImage({ ...MODEL, layers }));
    const report = await verifyModel(MODEL, core, SAMPLES);
    expect(report.mismatches).toBeGreaterThan(1);
    expect(report.first).toMatchObject({
      what: 'model',
      layer: 1,
      neuron,
      offset: imageLayout(MODEL).weightsOffsets[1]! + at,
    });
    expect(report.firstActivity).toMatchObject({ what: 'activity', layer: 1, neuron });
    expect(describeDifference(report.firstActivity!)).toMatch(
      /^sample \d+, layer 1, neuron 7: reference \d+, device \d+$/,
    );
    expect(describeDifference(report.first!)).toContain('weights of layer 1, neuron 7');
  });

  it('sees a device that has learned since the model was written', async () => {
    const { session } = await openRig();
    await verifyLearning(MODEL, session, SAMPLES);
    expect((await verifyModel(MODEL, session, [])).first).toMatchObject({ what: 'model' });
    await flashModel(session, IMAGE);
    expect((await verifyModel(MODEL, session, [])).mismatches).toBe(0);
    await session.close();
  });
});
