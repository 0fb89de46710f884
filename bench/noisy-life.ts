import {
  type Dataset,
  diffPatch,
  encodeImage,
  flashModel,
  learn,
  type Model,
  openTransport,
  pull,
  pullImage,
  push,
  Random,
  Reference,
  Session,
  save,
} from 'goodness';
import { FaultyTransport } from './faulty-line.js';

export interface NoisyLife {
  readonly seed: number;
  readonly rate: number;
  /** Bytes that the line hit. */
  readonly faults: number;
  /** Requests that got lost. */
  readonly lost: number;
  /** Bytes of the model that were compared in the end, and of what was pulled on the way. */
  readonly bytesCompared: number;
  readonly bytesDifferent: number;
  /** The error that ended it, if one did. */
  readonly error?: string;
}

const SAMPLES = 60;

/** Flash, learn, pull, push and save over a line that loses, flips, doubles and holds up bytes; then all bytes against the reference. */
export async function noisyLife(address: string, model: Model, seed: number, rate: number): Promise<NoisyLife> {
  const line = new FaultyTransport(await openTransport(address), seed, 0);
  const session = await Session.open(line, { openMs: 20_000 });
  const tally = { bytesCompared: 0, bytesDifferent: 0 };
  const compare = (expected: Uint8Array, got: Uint8Array): void => {
    const length = Math.max(expected.length, got.length);
    tally.bytesCompared += length;
    for (let i = 0; i < length; i++) if (expected[i] !== got[i]) tally.bytesDifferent++;
  };
  const facts = (): Omit<NoisyLife, 'error'> => ({
    seed,
    rate,
    faults: line.faults,
    lost: session.line.retries,
    ...tally,
  });
  try {
    line.rate = rate;
    await flashModel(session, encodeImage(model));
    const data = noise(model, seed);
    await learn(session, data);
    const reference = new Reference(model);
    for (let i = 0; i < data.count; i++) {
      reference.learn(data.inputs.subarray(i * data.width, (i + 1) * data.width), data.labels[i]!);
    }
    const pulled = await pull(session, model, new Random(seed));
    compare(reference.image(), encodeImage(pulled.model));
    const layers = pulled.model.layers.map((layer) =>
      layer.learns ? { ...layer, weights: layer.weights.map((w) => w >> 1) } : layer,
    );
    const next = { ...pulled.model, layers, state: { ...pulled.model.state, baseId: seed, t: 0 } };
    const { patch } = diffPatch(pulled.model, next, pulled.ticket);
    await push(session, patch);
    reference.applyPatch(patch, pulled.ticket);
    await save(session);
    line.rate = 0;
    compare(reference.image(), await pullImage(session));
    return facts();
  } catch (error) {
    return { ...facts(), error: (error as Error).message };
  } finally {
    await session.close();
  }
}

/** Samples of random bytes, half of them 0. */
function noise(model: Model, seed: number): Dataset {
  const random = new Random(seed);
  return {
    name: 'random bytes',
    inputs: Uint8Array.from({ length: SAMPLES * model.rawInputs }, () => random.integer(2) * random.integer(256)),
    labels: Uint8Array.from({ length: SAMPLES }, () => random.integer(model.classes)),
    count: SAMPLES,
    width: model.rawInputs,
    classes: Array.from({ length: model.classes }, (_, c) => `class ${c}`),
    scaling: { offset: new Float32Array(1), step: new Float32Array([1]) },
  };
}
