/**
 * What the line costs: `npm run bench:link -- [--only uno,pico,...] [--seeds N] [--json] [--quick]`. A model goes to a board of each class
 * (largest frame, requests under way) over a line that loses, flips, doubles or holds up bytes, both ways. Bytes are counted, not
 * seconds: the simulated board answers at once, and the host's clock runs fast. The share of the line rate that the payload uses is bytes of
 * the image / all bytes down, from BEGIN to COMMIT: frames, checksums, COBS and everything that was sent again. Every run ends with the
 * bytes of the image read back over a clean line, or counts as failed.
 */
import { encodeImage, Random, Session, sendObject, type Transport } from 'goodness';
import { FAULTS, type Fault, FaultyTransport } from './faulty-line.js';
import { library } from './library.js';
import { benchOptions, median } from './options.js';
import { randomModel } from './random-model.js';

type Boards = typeof import('../dist/device/boards/boards.js');
type Simulated = typeof import('../dist/device/simulated.js');
type SimulatedBoards = typeof import('../dist/device/simulated-board.js');
type Messages = typeof import('../dist/format/message.js');
type Transfer = typeof import('../dist/device/transfer.js');

const BITS_PER_BYTE = 10;
const BAUD = 115_200;
/** Chances of a fault per byte. */
const RATES = [0, 1e-3, 1e-2] as const;
/** Delays of a USB serial adapter, there and back: one that is tuned, and the usual timer of an FTDI. */
const LATENCIES_MS = [1, 16] as const;
/** The host's clock runs so many times faster than the machine's. */
const HASTE = 40;

interface Row {
  readonly board: string;
  readonly maxRequest: number;
  readonly window: number;
  readonly imageBytes: number;
  readonly fault: Fault | 'none' | 'all';
  readonly rate: number;
  /** Share of the bytes down that is payload, in percent: median of the seeds. */
  readonly efficiency: number;
  readonly bytesDown: number;
  readonly bytesUp: number;
  /** The same for reading the image back over the same line: bytes of the image / all bytes up. */
  readonly readEfficiency: number;
  /** Requests from BEGIN to COMMIT. */
  readonly requests: number;
  /** Percent of the time in which nothing goes down, were each answer awaited before the next request, by latency in ms. */
  readonly idleAtWindow1: Readonly<Record<string, number>>;
  readonly failed: number;
  readonly seeds: readonly number[];
}

interface Run {
  readonly down: number;
  readonly up: number;
  readonly requests: number;
  /** Bytes up while the image was read back. */
  readonly readUp: number;
}

const { BOARDS } = await library<Boards>('device/boards/boards');
const { connectSimulated } = await library<Simulated>('device/simulated');
const { SimulatedBoard } = await library<SimulatedBoards>('device/simulated-board');
const { MESSAGES, OBJECT_KIND, REGION } = await library<Messages>('format/message');
const { readRegion } = await library<Transfer>('device/transfer');

/** Boards that differ in nothing that matters here are one class. */
const classes = BOARDS.flatMap(({ id, budget }) => (budget === undefined ? [] : [{ id, budget }])).filter(
  ({ budget }, i, all) =>
    all.findIndex((other) => other.budget.payload === budget.payload && other.budget.window === budget.window) === i,
);
const options = benchOptions(
  'link',
  classes.map((board) => board.id),
);

/** A clock that runs fast, so that waiting for what was lost costs little here. */
const clock = {
  now: () => performance.now() * HASTE,
  after: (milliseconds: number, action: () => void) => {
    const timer = setTimeout(action, milliseconds / HASTE);
    return () => clearTimeout(timer);
  },
};

const pause = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => {
    clock.after(milliseconds, resolve);
  });

/** Counts whole requests on their way down. */
function counting(inner: Transport, count: () => void): Transport {
  return {
    name: inner.name,
    baud: undefined,
    traffic: inner.traffic,
    write: (bytes) => {
      if (bytes.length > 1) count();
      return inner.write(bytes);
    },
    onData: (listener) => inner.onData(listener),
    onClose: (listener) => inner.onClose(listener),
    close: () => inner.close(),
  };
}

async function transfer(
  image: Uint8Array,
  payload: number,
  window: number,
  seed: number,
  rate: number,
  kinds: readonly Fault[],
): Promise<Run | undefined> {
  const board = await SimulatedBoard.start({ maxPayload: payload });
  const line = new FaultyTransport(await connectSimulated(board), seed, rate, kinds, pause);
  let requests = 0;
  let session: Session | undefined;
  try {
    session = await Session.open(
      counting(line, () => {
        requests++;
      }),
      { clock, window },
    );
    const before = { ...line.traffic, requests };
    await sendObject(session, OBJECT_KIND.image, image);
    await session.request(MESSAGES.commit, undefined);
    const after = { ...line.traffic, requests };
    const back = await readRegion(session, REGION.image, 0, image.length);
    if (Buffer.compare(back, image) !== 0) throw new Error('other bytes came back than were sent');
    const readUp = line.traffic.up - after.up;
    line.rate = 0;
    const clean = await readRegion(session, REGION.image, 0, image.length);
    if (Buffer.compare(clean, image) !== 0) throw new Error('the device holds other bytes than were sent');
    return {
      down: after.down - before.down,
      up: after.up - before.up,
      requests: after.requests - before.requests,
      readUp,
    };
  } catch (error) {
    process.stderr.write(`seed ${seed}, rate ${rate}, ${kinds.join()}: ${(error as Error).message}\n`);
    return undefined;
  } finally {
    await session?.close();
  }
}

/** Percent of the time in which the line down idles if each answer is awaited. */
function idle({ down, up, requests }: Run, latencyMs: number): number {
  const busy = (down * BITS_PER_BYTE) / BAUD;
  const total = ((down + up) * BITS_PER_BYTE) / BAUD + (requests * latencyMs) / 1000;
  return 100 * (1 - busy / total);
}

async function measure(
  board: (typeof classes)[number],
  image: Uint8Array,
  fault: Row['fault'],
  rate: number,
): Promise<Row> {
  const { payload, window } = board.budget;
  const kinds = fault === 'all' ? FAULTS : fault === 'none' ? [] : [fault];
  const seeds = Array.from({ length: rate === 0 ? 1 : options.seeds }, (_, n) => n + 1);
  const runs: Run[] = [];
  for (const seed of seeds) {
    const run = await transfer(image, payload, window, seed, rate, kinds);
    if (run !== undefined) runs.push(run);
  }
  const middle = (of: (run: Run) => number): number => (runs.length === 0 ? Number.NaN : median(runs.map(of)));
  return {
    board: board.id,
    maxRequest: payload,
    window,
    imageBytes: image.length,
    fault,
    rate,
    efficiency: middle((run) => (100 * image.length) / run.down),
    bytesDown: middle((run) => run.down),
    bytesUp: middle((run) => run.up),
    readEfficiency: middle((run) => (100 * image.length) / run.readUp),
    requests: middle((run) => run.requests),
    idleAtWindow1: Object.fromEntries(LATENCIES_MS.map((ms) => [`${ms} ms`, middle((run) => idle(run, ms))])),
    failed: seeds.length - runs.length,
    seeds,
  };
}

const rows: Row[] = [];
const whole = encodeImage(randomModel({ rawInputs: 784, classes: 10, hidden: [120, 120] }, new Random(1)));
const small = encodeImage(randomModel({ rawInputs: 16, classes: 4, hidden: [24, 24] }, new Random(1)));
for (const board of classes.filter(({ id }) => options.only.length === 0 || options.only.includes(id))) {
  // The same bytes for all classes: on a board that has no room for them they stand for many patches one after the other.
  const image = options.quick ? small : whole;
  for (const rate of RATES) {
    for (const fault of rate === 0 ? (['none'] as const) : ([...FAULTS, 'all'] as const)) {
      const row = await measure(board, image, fault, rate);
      rows.push(row);
      if (!options.json) print(row);
    }
  }
}

function print(row: Row): void {
  if (rows.length === 1) {
    process.stdout.write(
      '| board | frame | window | image | fault | per byte | payload / bytes down | bytes down | bytes up | read back: payload / bytes up | idle at window 1 (1 ms, 16 ms) | failed |\n|---|---|---|---|---|---|---|---|---|---|---|---|\n',
    );
  }
  const idles = Object.values(row.idleAtWindow1).map((percent) => `${percent.toFixed(0)}%`);
  process.stdout.write(
    `| ${row.board} | ${row.maxRequest} | ${row.window} | ${row.imageBytes} | ${row.fault} | ${row.rate} | **${row.efficiency.toFixed(1)}%** | ${row.bytesDown} | ${row.bytesUp} | ${row.readEfficiency.toFixed(1)}% | ${idles.join(', ')} | ${row.failed} |\n`,
  );
}

if (options.json) process.stdout.write(`${JSON.stringify({ bench: 'link', baud: BAUD, rows })}\n`);
if (rows.some((row) => row.failed > 0)) process.exitCode = 1;
