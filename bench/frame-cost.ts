import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { library } from './library.js';

type Slots = typeof import('../dist/format/slot.js');
type Messages = typeof import('../dist/format/message.js');

/** Processors that `firmware/bench/frame_cost.c` is compiled for. */
export type Processor = 'cortex-m4' | 'cortex-m0' | 'cortex-m0plus';

/** Mean instructions that a request of a stream takes. */
export interface FrameCost {
  /** The receiver's interrupt, for all bytes of the request; without the processor's entry into and exit from it. */
  readonly keep: number;
  /** Inference or learning. */
  readonly model: number;
  /** All else: taking the bytes out of the ring, decoding, checksums, the answer. */
  readonly link: number;
}

const FIRMWARE = fileURLToPath(new URL('../../firmware', import.meta.url));
const BUILD = fileURLToPath(new URL('../../build', import.meta.url));
const QEMU = [
  '-machine',
  'mps2-an386',
  '-display',
  'none',
  '-serial',
  'none',
  '-monitor',
  'none',
  '-icount',
  'shift=0',
];
const QEMU_MS = 300_000;

const run = promisify(execFile);
const { encodeSlot } = await library<Slots>('format/slot');
const { OBJECT_KIND } = await library<Messages>('format/message');

/**
 * Counts what a processor spends on these requests, by running the core, the link and the main program of the boards in QEMU.
 * @param image model that the device holds
 * @param requests frames as they stand on the line, each answered
 */
export async function frameCost(
  processor: Processor,
  image: Uint8Array,
  requests: readonly Uint8Array[],
): Promise<FrameCost> {
  await run('make', ['-s', '-C', FIRMWARE, `frame-cost-${processor}`]);
  const folder = mkdtempSync(join(tmpdir(), 'goodness-cost-'));
  try {
    const count = Buffer.alloc(4);
    count.writeUInt32LE(requests.length);
    writeFileSync(join(folder, 'requests'), Buffer.concat([count, ...requests]));
    writeFileSync(join(folder, 'slot'), encodeSlot(image, 1, OBJECT_KIND.image));
    const semihosting = ['-semihosting-config', 'enable=on,target=native'];
    const program = join(BUILD, `bench/frame-cost-${processor}.elf`);
    const { stdout, stderr } = await run('qemu-system-arm', [...QEMU, ...semihosting, '-kernel', program], {
      cwd: folder,
      timeout: QEMU_MS,
    });
    const lines = `${stdout}\n${stderr}`.split('\n').filter((line) => line.startsWith('{'));
    const sums = new Map(
      lines.map((line) => JSON.parse(line) as { name: string; value: number }).map(({ name, value }) => [name, value]),
    );
    const mean = (name: string): number => sums.get(name)! / requests.length;
    return { keep: mean('keep'), model: mean('model'), link: mean('all') - mean('model') };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
