import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type Backend,
  type Dataset,
  decodeCheckpoint,
  encodeCheckpoint,
  evaluateNetwork,
  type Model,
  type Network,
  quantize,
  Trainer,
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
}

const FOLDER = 'build/bench-models';

export async function baseModel(recipe: BaseRecipe, backend: Backend, pooled: (d: Dataset) => Dataset): Promise<Base> {
  const { name, train, seed, hidden, epochs, pool } = recipe;
  const path = join(FOLDER, `${name}-${train.count}-${epochs ?? 'default'}-seed${seed}.safetensors`);
  const network = load(path) ?? (await trained());
  const { model } = quantize(network, { calibration: pooled(train), seed, meta: pool > 1 ? { pool } : {} });
  return { network, model, floatError: evaluateNetwork(network, pooled(recipe.test)).error };

  async function trained(): Promise<Network> {
    process.stderr.write(`training ${name} on ${train.count} samples, seed ${seed}\n`);
    const small = pooled(train);
    const image = train.geometry !== undefined;
    const trainer = new Trainer({
      backend,
      seed,
      shape: {
        width: small.width,
        classes: train.classes.length,
        objective: 'partitioned',
        preprocessing: { subtractMin: image, encoding: image ? 'plain' : 'complement' },
        labelValue: 255,
        theta: 2,
        hidden,
      },
      config: { pool },
      ...(small.geometry === undefined ? {} : { geometry: small.geometry }),
    });
    await trainer.fit(train, epochs === undefined ? {} : { epochs });
    mkdirSync(FOLDER, { recursive: true });
    writeFileSync(path, encodeCheckpoint(trainer.checkpoint(small)));
    return trainer.network();
  }
}

function load(path: string): Network | undefined {
  try {
    return decodeCheckpoint(readFileSync(path)).network;
  } catch {
    return undefined;
  }
}
