import { Random } from '../base/random.js';
import type { Table } from './csv.js';

/** Settings of the synthetic accelerometer. */
export interface GestureOptions {
  /** Windows per class; default 400. */
  readonly perClass?: number;
  /** 0: the sensor as it was when the first data were recorded; 1: badly mounted, another gain, another speed. */
  readonly drift?: number;
  /** What differs from window to window. */
  readonly seed?: number;
  /** Which way the sensor drifts; the same for all recordings of one device. */
  readonly driftSeed?: number;
}

export const GESTURES = ['circle', 'idle', 'shake', 'swipe', 'tap', 'tilt'] as const;

/** Time steps of a window of one second. */
const STEPS = 14;
const AXES = ['ax', 'ay', 'az'] as const;

/**
 * Windows of a three-axis accelerometer in g (1 = gravity): 14 time steps of x, y and z each (42 features, step by step),
 * six gestures by people of different strength and speed, with sensor noise. With drift the sensor is mounted turned, its
 * axes have other gains and offsets, and people move at another speed.
 */
export function generateGestures(options: GestureOptions = {}): Table {
  const perClass = options.perClass ?? 400;
  const random = new Random(options.seed ?? 1);
  const sensor = driftedSensor(options.drift ?? 0, new Random(options.driftSeed ?? 7));
  const width = STEPS * AXES.length;
  const rows = perClass * GESTURES.length;
  const values = new Float64Array(rows * width);
  const labels: string[] = [];
  const order = random.permutation(rows);
  for (let row = 0; row < rows; row++) {
    const gesture = GESTURES[order[row]! % GESTURES.length]!;
    writeWindow(gesture, sensor, random, values.subarray(row * width, (row + 1) * width));
    labels.push(gesture);
  }
  const features = Array.from({ length: width }, (_, j) => `${AXES[j % 3]}${Math.floor(j / 3)}`);
  return { values, labels, rows, width, features, labelName: 'gesture' };
}

interface Sensor {
  /** Rotation with the gains of the axes, row by row (3, 3). */
  readonly mount: Float64Array;
  readonly offset: Float64Array;
  readonly speed: number;
  readonly noise: number;
}

function driftedSensor(drift: number, random: Random): Sensor {
  const axis = [random.normal(), random.normal(), random.normal()];
  const length = Math.hypot(...axis) || 1;
  const [x, y, z] = axis.map((v) => v / length) as [number, number, number];
  const angle = (drift * 60 * Math.PI) / 180;
  const [c, s] = [Math.cos(angle), Math.sin(angle)];
  const t = 1 - c;
  const mount = Float64Array.of(
    t * x * x + c,
    t * x * y - s * z,
    t * x * z + s * y,
    t * x * y + s * z,
    t * y * y + c,
    t * y * z - s * x,
    t * x * z - s * y,
    t * y * z + s * x,
    t * z * z + c,
  );
  const offset = new Float64Array(3);
  for (let k = 0; k < 3; k++) {
    const gain = Math.exp(drift * 0.35 * random.normal());
    for (let j = 0; j < 3; j++) mount[3 * k + j] = mount[3 * k + j]! * gain;
    offset[k] = drift * 0.25 * random.normal();
  }
  return { mount, offset, speed: Math.exp(drift * 0.3 * random.normal()), noise: 0.06 * (1 + drift) };
}

/** Position in the gesture at which the window starts, strength and speed: what differs between people and repetitions. */
function writeWindow(gesture: string, sensor: Sensor, random: Random, out: Float64Array): void {
  const strength = Math.exp(0.25 * random.normal());
  const speed = sensor.speed * Math.exp(0.12 * random.normal());
  const start = 0.05 * random.normal();
  const turn = random.between(-0.5, 0.5);
  const hold = [0.12 * random.normal(), 0.12 * random.normal()] as const;
  const { mount, offset } = sensor;
  for (let step = 0; step < STEPS; step++) {
    const t = (step / (STEPS - 1)) * speed - start;
    const [mx, my, mz] = motion(gesture, t, turn);
    const x = hold[0] + strength * mx;
    const y = hold[1] + strength * my;
    const z = Math.sqrt(Math.max(0, 1 - hold[0] ** 2 - hold[1] ** 2)) + strength * mz;
    for (let k = 0; k < 3; k++) {
      const turned = mount[3 * k]! * x + mount[3 * k + 1]! * y + mount[3 * k + 2]! * z;
      out[3 * step + k] = turned + offset[k]! + sensor.noise * random.normal();
    }
  }
}

/** Acceleration of the hand in g at `t` (0 to 1 is the whole gesture), before strength. */
function motion(gesture: string, t: number, turn: number): [number, number, number] {
  const wave = 2 * Math.PI * t;
  const bump = (at: number, width: number): number => Math.exp(-(((t - at) / width) ** 2));
  switch (gesture) {
    case 'circle':
      return [0.5 * Math.cos(wave + turn), 0.5 * Math.sin(wave + turn), 0.1 * Math.sin(wave)];
    case 'shake':
      return [0.7 * Math.sin(3 * wave + 2 * turn), 0.25 * Math.sin(3 * wave + turn), 0.1 * Math.cos(3 * wave)];
    case 'swipe':
      return [0.8 * (bump(0.3, 0.14) - bump(0.6, 0.14)), 0.15 * turn, 0.15 * bump(0.45, 0.2)];
    case 'tap':
      return [0.1 * turn, 0.1 * bump(0.35, 0.1), 0.9 * bump(0.35, 0.08) - 0.5 * bump(0.5, 0.1)];
    case 'tilt': {
      const angle = 0.9 / (1 + Math.exp(-(t - 0.45) / 0.08));
      return [0.1 * turn, Math.sin(angle), Math.cos(angle) - 1];
    }
    default:
      return [0, 0, 0];
  }
}
