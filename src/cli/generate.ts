import { defineCommand } from 'citty';
import { formatCsv } from '../data/csv.js';
import { generateGestures } from '../data/gestures.js';
import { COMMON, numberOf, oneOf } from './arguments.js';
import type { CliContext } from './context.js';
import { writeWhole } from './files.js';

export default defineCommand({
  meta: {
    name: 'generate',
    description:
      'Makes sensor data to play with: windows of an accelerometer during six gestures, by a sensor that may have drifted (mounted askew, other gains, another speed).',
  },
  args: {
    what: { type: 'positional', required: true, description: 'gestures' },
    drift: { type: 'string', default: '0', description: '0: as it was; 1: badly mounted, other gains' },
    'drift-seed': { type: 'string', default: '7', description: 'Which way it drifts' },
    'per-class': { type: 'string', default: '400', description: 'Windows of each gesture' },
    seed: { type: 'string', default: '1', description: 'Seed of the windows' },
    out: { type: 'string', required: true, valueHint: 'file.csv', description: 'Where to write' },
    ...COMMON,
  },
  async run({ args, data: given }) {
    const { output } = given as CliContext;
    const what = oneOf('what', args.what!, ['gestures']);
    const drift = numberOf('drift', args.drift, { most: 2, fraction: true })!;
    const table = generateGestures({
      drift,
      driftSeed: numberOf('drift-seed', args['drift-seed'])!,
      perClass: numberOf('per-class', args['per-class'], { least: 2, most: 100_000 })!,
      seed: numberOf('seed', args.seed)!,
    });
    await writeWhole(args.out, formatCsv(table));
    output.result(
      { what, out: args.out, rows: table.rows, features: table.width, drift },
      `${args.out}: ${table.rows} rows of ${table.width} values`,
    );
  },
});
