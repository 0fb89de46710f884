// The firmware core in this process: what a Raspberry Pi program or a test would do. Trains on gestures, ships the model, lets it learn from a sensor
// that has drifted, and answers with the host's negative phase. Run `npm run build` first, then `node examples/in-process.mjs`.
import {
  CoreLearner,
  encodeTable,
  fitScaling,
  GESTURES,
  generateGestures,
  quantize,
  selectBackend,
  slice,
  splitTable,
  Trainer,
} from 'goodness';

const table = generateGestures({ seed: 1 });
const scaling = fitScaling(table.values, table.width, 0.25);
const { train, test } = splitTable(table, { seed: 1, scaling });

const backend = await selectBackend('auto');
const trainer = new Trainer({
  backend,
  seed: 1,
  shape: {
    width: train.width,
    classes: train.classes.length,
    objective: 'partitioned',
    preprocessing: { subtractMin: false, encoding: 'complement' },
    labelValue: 255,
    theta: 2,
    hidden: [48, 48],
  },
});
await trainer.fit(train);
const { model } = quantize(trainer.network(), { calibration: train });

const device = await CoreLearner.create(model, { backend, host: train, seed: 1 });
const drifted = (seed) =>
  encodeTable(generateGestures({ seed, drift: 0.6, driftSeed: 71 }), scaling, [...GESTURES], 'drifted gestures');
const world = drifted(3);

const say = async (what) => console.log(`${what}: ${(await device.evaluate(world)).error.toFixed(1)}% errors`);
console.log(`where it was trained: ${(await device.evaluate(test)).error.toFixed(1)}% errors`);
await say('with the drifted sensor, as shipped');
await device.learn(slice(drifted(2), 0, 300));
await say('after 300 positive passes');
await device.synchronize();
await say('after a sync');
