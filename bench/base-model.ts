import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  type Backend,
  type Checkpoint,
  type Dataset,
  decodeCheckpoint,
  encodeCheckpoint,
  evaluateNetwork,
  type Model,
  type Network,
  type NetworkShape,
  type PartialTrainConfig,
  quantize,
  type TrainConfig,
  Trainer,
  trainedScales,
} from 'goodness';

/** A trained network and its integer model. */
export interface Base {
  readonly network: Network;
  readonly model: Model;
  readonly floatError: number;
}

/** How a base model is trained. */
export interface BaseRecipe {
  /** Names the checkpoint that is kept under build/bench-models, so that a bench that is run again need not train again. */
  readonly name: string;
  /** At full resolution. */
  readonly train: Dataset;
  readonly test: Dataset;
  readonly pool: number;
  readonly hidden: readonly number[];
  readonly epochs?: number;
  readonly seed: number;
  /** Beside the pool; the defaults where left out. */
  readonly config?: PartialTrainConfig;
}

const FOLDER = 'build/bench-models';

/** All that decides the weights of a network, beside the trainer's program. */
export interface Training {
  readonly backend: string;
  readonly seed: number;
  readonly shape: NetworkShape;
  readonly config: TrainConfig;
  readonly epochs: number | undefined;
  readonly data: Pick<Dataset, 'inputs' | 'labels'>;
}

/**
 * Names a training by what decides its outcome, so that a kept network is never taken for another's: 16 hexadecimal digits.
 * @param program the trainer's files: name and text
 */
export function fingerprint(training: Training, program: readonly (readonly [string, string])[]): string {
  const { data, ...rest } = training;
  const hash = createHash('sha256').update(JSON.stringify([rest, program]));
  return hash.update(data.inputs).update(data.labels).digest('hex').slice(0, 16);
}

/** The compiled files that training runs through, those of inner folders as well. */
function trainerProgram(): [string, string][] {
  const dist = fileURLToPath(new URL('.', import.meta.resolve('goodness')));
  return ['base', 'data', 'train'].flatMap((layer) =>
    readdirSync(join(dist, layer), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.js'))
      .sort()
      .map((name): [string, string] => [`${layer}/${name}`, readFileSync(join(dist, layer, name), 'utf8')]),
  );
}

export async function baseModel(recipe: BaseRecipe, backend: Backend, pooled: (d: Dataset) => Dataset): Promise<Base> {
  const { name, train, seed, hidden, epochs, pool } = recipe;
  const config = { ...recipe.config, pool };
  const small = pooled(train);
  const image = train.geometry !== undefined;
  const shape: NetworkShape = {
    width: small.width,
    classes: train.classes.length,
    objective: 'partitioned',
    preprocessing: { subtractMin: image, encoding: image ? 'plain' : 'complement' },
    labelValue: 255,
    theta: 2,
    hidden,
  };
  const geometry = small.geometry === undefined ? {} : { geometry: small.geometry };
  const trainer = new Trainer({ backend, seed, shape, config, ...geometry });
  const training = { backend: backend.name, seed, shape, config: trainer.config, epochs, data: train };
  const path = join(FOLDER, `${name}-seed${seed}-${fingerprint(training, trainerProgram())}.safetensors`);
  const { network, state } = load(path) ?? (await trained());
  const { quantization } = trainer.config;
  const { bits = 8 } = quantization ?? {};
  const scales = trainedScales(quantization, state?.layers ?? [], bits);
  const { model } = quantize(network, {
    calibration: small,
    seed,
    bits,
    ...(scales === undefined ? {} : { scales }),
    meta: pool > 1 ? { pool } : {},
  });
  return { network, model, floatError: evaluateNetwork(network, pooled(recipe.test)).error };

  async function trained(): Promise<Checkpoint> {
    process.stderr.write(`training ${name} on ${train.count} samples, seed ${seed}\n`);
    await trainer.fit(train, epochs === undefined ? {} : { epochs });
    mkdirSync(FOLDER, { recursive: true });
    const checkpoint = trainer.checkpoint(small);
    writeFileSync(path, encodeCheckpoint(checkpoint));
    return checkpoint;
  }
}

function load(path: string): Checkpoint | undefined {
  try {
    return decodeCheckpoint(readFileSync(path));
  } catch {
    return undefined;
  }
}
