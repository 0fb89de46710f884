import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeImage } from '../../src/format/image.js';
import { metaOf } from '../../src/format/meta.js';
import { decodeCheckpoint } from '../../src/train/checkpoint-reader.js';
import { blobs } from '../train/blobs.js';
import { goodness, json, type Said } from './support/run.js';

let folder = '';
const at = (name: string): string => join(folder, name);
const program = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'goodness-train-'));
  const { inputs, labels, classes } = blobs(300, 1);
  const rows = [...labels].map((label, s) => [...inputs.subarray(6 * s, 6 * s + 6), classes[label]].join(','));
  writeFileSync(at('blobs.csv'), rows.join('\n'));
});
afterAll(() => rmSync(folder, { recursive: true }));

// biome-ignore lint/suspicious/noExplicitAny: what is told depends on the objective
async function train(...args: string[]): Promise<any> {
  const said = await goodness(['train', ...args, '--json', '--quiet']);
  expect(said.err).toBe('');
  return json(said);
}

function recipe(name: string, value: object): string {
  writeFileSync(at(name), JSON.stringify(value));
  return at(name);
}

const checkpoint = (name: string) =>
  decodeCheckpoint(new Uint8Array(readFileSync(at(`${name}/checkpoint.safetensors`))));

describe('a recipe', () => {
  it('from a file says everything, and options override it', async () => {
    const file = recipe('all.json', {
      $schema: '../docs/recipe.schema.json',
      data: at('blobs.csv'),
      layers: [12, 9],
      epochs: 50,
      batch: 20,
      seed: 4,
      goodness: 'sum-squares',
      threshold: { kind: 'learned', rate: 2 },
      negatives: 'shuffled',
      optimizer: { kind: 'sgd', momentum: 0.8 },
      learningRate: 0.02,
      loss: { softness: 2 },
      phases: { kind: 'separated', positive: 3, negative: 4 },
      stabilisers: { norm: 'neuron', centring: 1 },
      stop: { holdout: 0.2, patience: 7 },
    });
    const said = await train(
      '--config',
      file,
      '--epochs',
      '3',
      '--set',
      'loss.theta=3,phases.positive=2',
      '--out',
      at('all'),
    );
    expect(said).toMatchObject({ layers: '12-12-9', epochs: 3, seed: 4, objective: 'partitioned' });
    const { config, network, state } = checkpoint('all');
    expect(config).toMatchObject({
      threshold: { kind: 'learned', rate: 2 },
      negatives: { kind: 'shuffled' },
      optimizer: { kind: 'sgd', momentum: 0.8 },
      learningRate: 0.02,
      loss: { softness: 2, theta: 3 },
      phases: { kind: 'separated', positive: 2, negative: 4, positiveRate: 1 },
      stabilisers: { norm: 'neuron', centring: 1 },
    });
    expect(network.goodness).toEqual({ kind: 'sum-squares' });
    expect(network.thresholds).toHaveLength(2);
    expect(state?.run).toMatchObject({ batch: 20, stop: { holdout: 0.2, patience: 7 } });
    expect(JSON.parse(readFileSync(at('all/recipe.json'), 'utf8'))).toMatchObject({ epochs: 3, backend: 'simd' });
  });

  it('gives the same bytes as its own copy beside the model', async () => {
    await train(at('blobs.csv'), '--layers', '9', '--epochs', '2', '--out', at('first'));
    await train('--config', at('first/recipe.json'), '--out', at('second'));
    expect(readFileSync(at('second/model.ffm')).equals(readFileSync(at('first/model.ffm')))).toBe(true);
  });

  it('asks for recurrent layers, which stay on the host, or for no device model at all', async () => {
    const data = [at('blobs.csv'), '--layers', '12-9', '--epochs', '1', '--objective', 'label'];
    const file = recipe('recurrent.json', { recurrent: { iterations: 4, scored: [2, 4] } });
    const said = await train(...data, '--config', file, '--out', at('recurrent'));
    expect(said).toMatchObject({ quantized: null, hostOnly: expect.stringContaining('devices pass once') });
    expect(checkpoint('recurrent').network.recurrent).toMatchObject({ iterations: 4, scored: [2, 4], frames: 1 });
    const quantized = await goodness(['quantize', at('recurrent/checkpoint.safetensors'), '--data', at('blobs.csv')]);
    expect([quantized.code, quantized.err]).toEqual([2, expect.stringContaining('no device image')]);
    const none = await train(...data, '--set', 'device=false', '--out', at('none'));
    expect(none).toMatchObject({ quantized: null, hostOnly: 'the recipe asks for none' });
    expect(existsSync(at('none/model.ffm'))).toBe(false);
  });

  it('may be a module', async () => {
    writeFileSync(
      at('recipe.mjs'),
      `export default { data: ${JSON.stringify(at('blobs.csv'))}, layers: [3 * 3], epochs: 1 };`,
    );
    expect(await train('--config', at('recipe.mjs'), '--out', at('module'))).toMatchObject({ layers: '12-9' });
    writeFileSync(at('none.mjs'), 'export const recipe = {};');
    const none = await goodness(['train', '--config', at('none.mjs')]);
    expect([none.code, none.err]).toEqual([2, expect.stringContaining('exports no recipe')]);
  });

  it.each<[string, object, string]>([
    ['an unknown field', { lairs: [3] }, 'has no field lairs'],
    ['an unknown field of a part', { loss: { thetta: 1 } }, 'has no field loss.thetta'],
    ['an unknown kind', { goodness: 'best' }, 'invalid goodness in'],
    ['a field of another kind', { negatives: { kind: 'random', blurs: 3 } }, 'has no field negatives.blurs'],
    ['a number out of range', { dropout: 1 }, 'invalid dropout in'],
    [
      'a text where a number belongs',
      { phases: { kind: 'separated', positive: 'many' } },
      'invalid phases.positive in',
    ],
    ['negatives that the objective can not use', { negatives: 'hard' }, 'can not learn from these negatives'],
    ['a read-out that nothing asks', { readout: {} }, 'this objective has no read-out'],
    ['no data', { data: undefined }, 'nothing to train on'],
    ['a novelty detector that does not know what is normal', { objective: 'one-class' }, 'which classes are normal'],
    ['negatives of no data', { negatives: 'data' }, 'negatives.path'],
    ['a proxy of no device', { negatives: 'proxy' }, 'negatives.statistics'],
  ])('is refused with the field and what it may be: %s', async (_, change, message) => {
    const file = recipe('wrong.json', { data: at('blobs.csv'), epochs: 1, layers: [9], ...change });
    const said = await goodness(['train', '--config', file, '--out', at('wrong')]);
    expect(said.err).toContain(message);
    expect(said.code).toBe(2);
    expect(existsSync(at('wrong/model.ffm'))).toBe(false);
  });

  it('that is no JSON is refused', async () => {
    writeFileSync(at('broken.json'), '{ "data": ');
    expect((await goodness(['train', '--config', at('broken.json')])).err).toContain('is no JSON');
    expect((await goodness(['train', '--config', at('absent.json')])).err).toContain('there is no file');
    expect((await goodness(['train', at('blobs.csv'), '--set', 'epochs'])).err).toContain('error[usage.set]');
    expect((await goodness(['train', at('blobs.csv'), '--goodness', 'best'])).err).toContain('error[usage.value]');
  });
});

describe('presets', () => {
  it('are listed, and give their recipe, which options override', async () => {
    const { presets } = json(await goodness(['train', '--presets', '--json', '--quiet']));
    expect(presets).toMatchObject([{ name: 'digits-16k' }, { name: 'digits-110k' }]);
    expect((await goodness(['train', '--presets'])).out).toContain('196-110-100');
    const short = ['--preset', 'digits-16k', '--samples', '200', '--epochs', '1', '--set', 'quantization.epochs=1'];
    const { layers, quantized } = await train(...short, '--out', at('preset'));
    expect(layers).toBe('196-110-100');
    expect(quantized.bits).toBe(4);
  });

  it('are refused where there is no such one, or another recipe', async () => {
    const said = await goodness(['train', '--preset', 'digits-1k']);
    expect(said.err).toContain('digits-16k, digits-110k');
    expect(said.code).toBe(2);
    const both = await goodness(['train', '--preset', 'digits-16k', '--config', recipe('small.json', { epochs: 1 })]);
    expect(both.err).toContain('error[usage.option]');
  });
});

describe('weights of few bits', () => {
  it('keep the grid that they were trained on', async () => {
    const args = [
      at('blobs.csv'),
      '--layers',
      '24-24',
      '--epochs',
      '60',
      '--bits',
      '4,3',
      '--input-bits',
      '4',
      '--qat',
    ];
    const { float, quantized } = await train(...args, '--out', at('few'));
    expect(quantized.bits).toEqual([4, 3]);
    expect(quantized.testError).toBeLessThan(float.testError + 6);
    const model = decodeImage(new Uint8Array(readFileSync(at('few/model.ffm'))));
    expect(model.layers.map((layer) => [layer.weightBits, layer.inputBits])).toEqual([
      [4, 4],
      [3, 4],
    ]);
    const from = ['quantize', at('few/checkpoint.safetensors'), '--data', at('blobs.csv'), '--input-bits', '4'];
    const again = await goodness([...from, '--out', at('few.ffm')]);
    expect(again.err).toBe('');
    const weights = (image: string) =>
      decodeImage(new Uint8Array(readFileSync(at(image)))).layers.map(({ weights, scale }) => [weights, scale]);
    expect(weights('few.ffm')).toEqual(weights('few/model.ffm'));
    const refused = await goodness(['train', at('blobs.csv'), '--bits', '5']);
    expect(refused.err).toContain('error[quantize.bits]');
  });
});

describe('what only a host can run', () => {
  it.each([
    ['unsupervised', ['--objective', 'unsupervised', '--set', 'readout.from=0'], 'read-out'],
    ['top-k', ['--goodness', 'top-k'], 'top-k'],
    ['minus', ['--goodness', 'minus-sum-squares', '--objective', 'label'], 'minus-sum-squares'],
  ])('is trained and judged on the host, and says that it has no device image: %s', async (name, options, reason) => {
    const args = ['train', at('blobs.csv'), '--layers', '12', '--epochs', '60', '--out', at(name), ...options];
    const said = await goodness([...args, '--quiet']);
    expect(said.code).toBe(0);
    expect(said.out).toContain('no device image:');
    expect(said.out).toContain(reason);
    const result = await train(...args.slice(1));
    expect(result).toMatchObject({ quantized: null, hostOnly: expect.stringContaining(reason) });
    expect(result.float.testError).toBeLessThan(30);
    expect([existsSync(at(`${name}/checkpoint.safetensors`)), existsSync(at(`${name}/model.ffm`))]).toEqual([
      true,
      false,
    ]);
    const quantized = await goodness(['quantize', at(`${name}/checkpoint.safetensors`), '--data', at('blobs.csv')]);
    expect(quantized.err).toContain('error[quantize.host]');
  });
});

describe('a one-class network', () => {
  it('tells novel samples on the host and on a device', async () => {
    const args = [
      at('blobs.csv'),
      '--objective',
      'one-class',
      '--normal',
      'a,c',
      '--layers',
      '24-24',
      '--negatives',
      'others',
    ];
    const result = await train(...args, '--epochs', '30', '--out', at('novelty'));
    expect(result.classes).toEqual(['normal', 'novel']);
    expect(result.float.auroc).toBeGreaterThan(90);
    expect(Math.abs(result.quantized.auroc - result.float.auroc)).toBeLessThan(2);
    const model = decodeImage(new Uint8Array(readFileSync(at('novelty/model.ffm'))));
    expect([model.classes, model.objective, model.layers[0]!.learns]).toEqual([1, 'partitioned', false]);
    expect(metaOf(model)).toMatchObject({
      classes: ['normal'],
      oneClass: { classes: ['a', 'b', 'c'], normal: ['a', 'c'] },
    });
    const evaluate = async (...classes: string[]): Promise<number> =>
      json(
        await goodness([
          'eval',
          '--port',
          'sim',
          '--model',
          at('novelty/model.ffm'),
          '--data',
          at('blobs.csv'),
          '--json',
          ...classes,
        ]),
      ).novel as number;
    expect(await evaluate()).toBeLessThan(25);
    expect(await evaluate('--classes', 'b')).toBeGreaterThan(60);
    const again = ['quantize', at('novelty/checkpoint.safetensors'), '--data', at('blobs.csv'), '--out', at('q.ffm')];
    expect(json(await goodness([...again, '--json'])).test).toMatchObject({ auroc: result.quantized.auroc });
    const verified = await goodness(['verify', at('novelty/model.ffm'), '--quiet']);
    expect([verified.code, verified.err]).toEqual([0, '']);
  });
});

describe('negatives of other data', () => {
  it('come from a file, whatever its labels are', async () => {
    const noise = Array.from({ length: 40 }, (_, s) =>
      [...[1, 2, 3, 4, 5, 6].map((k) => (s * k * 37) % 256), 'x'].join(','),
    );
    writeFileSync(at('noise.csv'), noise.join('\n'));
    const options = [
      '--layers',
      '12',
      '--epochs',
      '3',
      '--out',
      at('noise'),
      '--set',
      `negatives.kind=data,negatives.path=${at('noise.csv')}`,
    ];
    expect((await train(at('blobs.csv'), ...options)).quantized.imageBytes).toBeGreaterThan(0);
    writeFileSync(at('narrow.csv'), '1,2,x\n3,4,y\n');
    const set = `negatives.kind=data,negatives.path=${at('narrow.csv')}`;
    const said = await goodness(['train', at('blobs.csv'), '--layers', '12', '--set', set, '--out', at('noise')]);
    expect(said.err).toContain('expected 6 inputs; got 2');
  });
});

describe('a training that is stopped', () => {
  const FILES = ['checkpoint.safetensors', 'model.ffm'];
  const args = (out: string): string[] => [
    ...['train', at('blobs.csv'), '--layers', '36-36', '--epochs', '4000', '--batch', '20', '--threads', '1'],
    ...['--set', 'threshold=learned,peer=0.03', '--holdout', '0.1', '--patience', '4000', '--out', at(out)],
  ];

  /** Runs the program, and sends it a signal when it has come so far. */
  function spawned(words: readonly string[], signal?: NodeJS.Signals): Promise<Said> {
    return new Promise((resolve) => {
      const child = spawn(process.execPath, [program, ...words], { stdio: ['ignore', 'pipe', 'pipe'] });
      const said = { out: '', err: '' };
      child.stdout.on('data', (chunk) => {
        said.out += chunk;
      });
      child.stderr.on('data', (chunk) => {
        said.err += chunk;
        if (signal !== undefined && !child.killed && said.err.includes('25%')) child.kill(signal);
      });
      child.on('close', (code) => resolve({ code: code ?? -1, ...said }));
    });
  }

  it('by Ctrl-C goes on with --resume as if it had never stopped', async () => {
    expect(existsSync(program), 'dist/cli/main.js: run `npm run build` first').toBe(true);
    const [whole, stopped] = await Promise.all([spawned(args('whole')), spawned(args('stopped'), 'SIGINT')]);
    expect(whole.code).toBe(0);
    expect(stopped.err).toContain('--resume');
    expect([stopped.code, stopped.out]).toEqual([130, '']);
    expect(existsSync(at('stopped/model.ffm'))).toBe(false);
    const { run } = checkpoint('stopped').state!;
    expect(run!.step).toBeGreaterThan(0.2 * run!.steps);
    expect(run!.step).toBeLessThan(0.9 * run!.steps);
    const resumed = await spawned(['train', '--resume', at('stopped')]);
    expect(resumed.err).toContain('going on at step');
    expect(resumed.code).toBe(0);
    for (const file of FILES) {
      expect(readFileSync(at(`stopped/${file}`)).equals(readFileSync(at(`whole/${file}`))), file).toBe(true);
    }
  }, 120_000);

  it('without warning goes on from its last checkpoint', async () => {
    const words = args('killed');
    const killed = await spawned([...words, '--checkpoint-every', '50'], 'SIGKILL');
    expect(killed.code).toBe(-1);
    const { step, steps } = checkpoint('killed').state!.run!;
    expect(step % (50 * (steps / 4000))).toBe(0);
    expect((await spawned(['train', '--resume', at('killed'), '--quiet'])).code).toBe(0);
    for (const file of FILES) {
      expect(readFileSync(at(`killed/${file}`)).equals(readFileSync(at(`whole/${file}`))), file).toBe(true);
    }
  }, 120_000);

  it('can not be changed on the way', async () => {
    const said = await goodness(['train', '--resume', at('stopped'), '--epochs', '9']);
    expect([said.code, said.err]).toEqual([2, expect.stringContaining('--epochs can not change')]);
    expect((await goodness(['train', 'mnist', '--resume', at('stopped')])).err).toContain('mnist can not change');
    expect((await goodness(['train', '--resume', at('nowhere')])).err).toContain('the folder of a training');
  });
});
