import { defineCommand } from 'citty';
import { GoodnessError } from '../base/errors.js';
import { analogSource } from '../device/sensor/analog.js';
import { capture } from '../device/sensor/capture.js';
import { COMPONENT_KINDS, type ComponentKind, componentSource } from '../device/sensor/component.js';
import { FEATURES } from '../device/sensor/features.js';
import { openFirmata } from '../device/sensor/firmata.js';
import { SIGNALS, signalSource } from '../device/sensor/signal.js';
import type { SampleSource } from '../device/sensor/source.js';
import { COMMON, numberOf, oneOf } from './arguments.js';
import type { CliContext } from './context.js';

export default defineCommand({
  meta: {
    name: 'capture',
    description:
      'Records a sensor into a CSV that `train` takes as it is: windows of samples, one per row, with a label. Run it once per class, with --append. Sensors hang on a board with StandardFirmata; --io sim makes a machine that vibrates up.',
  },
  args: {
    io: { type: 'string', default: 'firmata', description: 'firmata, or sim: a sensor on a made-up machine' },
    port: { type: 'string', alias: 'p', valueHint: 'port', description: 'Serial port of the board (firmata)' },
    baud: { type: 'string', default: '57600', valueHint: 'bits/s', description: 'Speed of its firmware' },
    sensor: {
      type: 'string',
      required: true,
      description: `analog:A0,A1,..., or what johnny-five has a component for: ${COMPONENT_KINDS.join(', ')}; with --io sim: ${SIGNALS.join(', ')}`,
    },
    controller: {
      type: 'string',
      description: 'Chip of a component, as johnny-five names it: ADXL335, MPU6050, LM35, ...',
    },
    pins: {
      type: 'string',
      description:
        'Analog pins of a component: x,y,z of an accelerometer (A0,A1,A2 without --controller), else one (A0 without --controller); none on I2C',
    },
    rate: { type: 'string', default: '50', valueHint: 'Hz', description: 'Samples per second' },
    label: { type: 'string', required: true, description: 'What the sensor senses meanwhile: the class of the rows' },
    out: { type: 'string', required: true, valueHint: 'file.csv', description: 'Where to write' },
    append: { type: 'boolean', description: 'Add to the file' },
    features: {
      type: 'string',
      default: 'raw',
      description: 'raw: the samples; spectrum: how strong each frequency is (for vibration)',
    },
    window: { type: 'string', default: '16', description: 'Samples per window' },
    hop: { type: 'string', description: 'Samples from one window to the next (as long as a window)' },
    windows: { type: 'string', description: 'End after so many windows' },
    seconds: { type: 'string', description: 'End after so many seconds (neither: until Ctrl-C)' },
    seed: { type: 'string', default: '1', description: 'Seed of the made-up sensor' },
    ...COMMON,
  },
  async run({ args, data }) {
    const context = data as CliContext;
    const { output } = context;
    const length = numberOf('window', args.window, { least: 1, most: 4096 })!;
    const hop = numberOf('hop', args.hop, { least: 1, most: 4096 });
    const windows = numberOf('windows', args.windows, { least: 1, most: 1_000_000 });
    const seconds = numberOf('seconds', args.seconds, { least: 0.01, most: 1e6, fraction: true });
    const features = oneOf('features', args.features, FEATURES);
    const source = await openSource(args, output.note.bind(output));
    const end = new AbortController();
    context.interrupted().then(() => end.abort());
    const total =
      windows ?? (seconds === undefined ? 0 : Math.max(1, countOf(seconds * source.rate, length, hop ?? length)));
    const bar = total > 0 ? output.progress('capture') : undefined;
    const report = await capture(source, {
      label: args.label,
      out: args.out,
      length,
      features,
      append: args.append ?? false,
      signal: end.signal,
      ...(hop === undefined ? {} : { hop }),
      ...(windows === undefined ? {} : { windows }),
      ...(seconds === undefined ? {} : { seconds }),
      onWindow: (done) => bar?.(Math.min(done, total), total),
    });
    if (report.lost > 0) output.warn(`${report.lost} samples were lost: this machine was busy`);
    if (report.samples > 20 && report.rate < 0.9 * source.rate) {
      output.warn(`the sensor gave ${report.rate.toFixed(1)} samples per second, not ${source.rate.toFixed(1)}`);
    }
    output.result(
      { out: args.out, label: args.label, channels: source.channels, asked: source.rate, ...report },
      `${args.out}: ${report.windows} windows of ${args.label} (${report.samples} samples, ${report.rate.toFixed(1)} per second, jitter ${report.jitter.toFixed(1)} ms)`,
    );
  },
});

/** Windows in so many samples. */
function countOf(samples: number, length: number, hop: number): number {
  return Math.floor((Math.floor(samples) - length) / hop) + 1;
}

interface SourceArguments {
  readonly io: string;
  readonly port?: string | undefined;
  readonly baud: string;
  readonly sensor: string;
  readonly controller?: string | undefined;
  readonly pins?: string | undefined;
  readonly rate: string;
  readonly seed: string;
}

async function openSource(args: SourceArguments, note: (text: string) => void): Promise<SampleSource> {
  const io = oneOf('io', args.io, ['firmata', 'sim']);
  const rate = numberOf('rate', args.rate, { least: 0.1, most: 1000, fraction: true })!;
  if (io === 'sim') {
    return signalSource({ kind: oneOf('sensor', args.sensor, SIGNALS), rate, seed: numberOf('seed', args.seed)! });
  }
  const [kind, analog] = args.sensor.split(':', 2);
  const component = COMPONENT_KINDS.find((name) => name === args.sensor);
  if (component === undefined && !(kind === 'analog' && analog !== undefined && analog !== '')) {
    throw new GoodnessError('usage.value', '--sensor does not know this value', {
      expected: `analog:A0,A1,... or one of ${COMPONENT_KINDS.join(', ')}`,
      got: JSON.stringify(args.sensor),
    });
  }
  if (args.port === undefined) {
    throw new GoodnessError('usage.value', 'a sensor on a board needs --port', {
      fix: 'List the ports with `goodness ports`, or try --io sim.',
    });
  }
  const baud = numberOf('baud', args.baud, { least: 300, most: 4_000_000 })!;
  const firmata = await openFirmata(args.port, { baud });
  note(`${firmata.firmware} on ${args.port}`);
  try {
    if (component === undefined) return await analogSource(firmata, analog!.split(','), rate);
    const { controller } = args;
    const pins = args.pins?.split(',') ?? usualPins(component, controller);
    return await componentSource(firmata, component, {
      rate,
      pins,
      ...(controller === undefined ? {} : { controller }),
    });
  } catch (error) {
    await firmata.close();
    throw error;
  }
}

/** Where a component hangs if nothing is said of its pins: a named chip may be on I2C, and then it has none. */
function usualPins(component: ComponentKind, controller: string | undefined): string[] {
  if (component === 'accelerometer' && /^(ANALOG|ADXL335)?$/i.test(controller ?? '')) return ['A0', 'A1', 'A2'];
  return controller === undefined ? ['A0'] : [];
}
