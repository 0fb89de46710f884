import { describe, expect, it } from 'vitest';
import { boardOf } from '../../src/device/boards/boards.js';
import { planStages } from '../../src/device/boards/stage-planner.js';
import { encodeImage } from '../../src/format/image.js';
import { joinModels } from '../../src/format/stages.js';
import { randomModel } from '../golden/random-model.js';

const PICO = boardOf('pico');
const MPS2 = boardOf('mps2-an386');
const model = (hidden: readonly number[], rawInputs = 784) => randomModel({ seed: 5, rawInputs, classes: 10, hidden });

describe('a network over several boards', () => {
  it('is cut so that all of it learns, where one board could not hold it', async () => {
    // 156,800 + 40,000 + 40,000 weights: more than the 196,608 bytes of one board.
    const whole = model([200, 200, 200]);
    const { cuts, plans, stages } = await planStages(whole, [MPS2, MPS2]);
    expect(cuts).toEqual([1]);
    expect(plans.map((plan) => plan.layers.map((layer) => layer.learns))).toEqual([[true], [true, true]]);
    expect(stages.map((stage) => stage.layersBelow)).toEqual([0, 1]);
    expect(joinModels(stages).layers.map((layer) => layer.outputs)).toEqual([200, 200, 200]);
  });

  it('freezes what does not fit, and says what learns', async () => {
    const { plans, stages } = await planStages(model([140, 140]), [PICO, MPS2], { learn: [1] });
    expect(plans.map((plan) => plan.layers.map((layer) => layer.learns))).toEqual([[false], [true]]);
    // The lower board counts samples although nothing of it learns.
    expect(stages[0]!.counts).toBe(true);
    expect(encodeImage(stages[0]!)[22]! & 4).toBe(4);
  });

  it('counts nothing where nothing learns', async () => {
    const { stages } = await planStages(model([60, 60]), [PICO, PICO], { learn: [] });
    expect(stages.map((stage) => stage.counts)).toEqual([undefined, undefined]);
  });

  it('is cut where it is told, and evenly where nothing else decides', async () => {
    expect((await planStages(model([40, 40, 40, 40], 40), [PICO, PICO])).cuts).toEqual([2]);
    expect((await planStages(model([40, 40, 40, 40], 40), [PICO, PICO], { cuts: [3] })).cuts).toEqual([3]);
    expect((await planStages(model([40, 40, 40, 40], 40), [PICO, PICO, PICO])).cuts).toHaveLength(2);
  });

  it('is refused with numbers where no cut fits', async () => {
    await expect(planStages(model([1000, 1000]), [PICO, PICO])).rejects.toMatchObject({
      code: 'plan.stages',
      got: expect.stringContaining('bytes'),
    });
    await expect(planStages(model([40]), [PICO, PICO])).rejects.toMatchObject({ code: 'stages.cut' });
    await expect(planStages(model([40, 40]), [PICO, PICO], { cuts: [2] })).rejects.toMatchObject({
      code: 'stages.cut',
    });
    await expect(planStages(model([40, 40]), [PICO, PICO], { cuts: [1, 2] })).rejects.toMatchObject({
      code: 'stages.cut',
    });
    await expect(planStages(model([40, 40]), [PICO, PICO], { learn: [7] })).rejects.toMatchObject({
      code: 'plan.layer',
    });
    await expect(planStages(model([40, 40]), [PICO, boardOf('esp32')])).rejects.toMatchObject({ code: 'plan.board' });
  });
});
