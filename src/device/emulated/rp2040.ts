import { existsSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { GoodnessError } from '../../base/errors.js';
import type { FirmwareImage } from '../bootloader/firmware-image.js';
import type { EmulatedBoard } from './emulated-board.js';
import { inFlash, readPicoFirmware } from './rp2040-firmware.js';
import type { PicoCounters, PicoReply, PicoRequest, PicoSetup } from './rp2040-messages.js';

export type { PicoCounters } from './rp2040-messages.js';

export interface PicoOptions {
  /**
   * What is put in the flash at the start: an image, or a file (.uf2, .elf, .hex, .bin). Without it the board has what its flash file
   * holds; with neither, its boot ROM shows the USB drive.
   */
  readonly firmware?: FirmwareImage | string;
  /** File that keeps the 2 MB of flash: loaded if it is there, written at each erase and program. Without it, memory. */
  readonly flash?: string;
  /** Folder that appears while the boot ROM shows its USB drive RPI-RP2, and takes UF2 files as it does. It must not exist. */
  readonly drive?: string;
  /** Cuts the power in the middle of this erase or program of the flash since the last reset, from 1 on: the emulator ends there. */
  readonly cutAtOperation?: number;
}

export interface EmulatedPico extends EmulatedBoard {
  /** What it has done so far. */
  counters(): Promise<PicoCounters>;
}

const START_MS = 20_000;
const ANSWER_MS = 10_000;

/**
 * Starts an emulated Raspberry Pi Pico in a thread of its own: rp2040js runs the firmware from the second boot stage on, with a flash
 * chip that can be erased and written behind the SSI. UART0 (GP0, GP1) is a TCP port of this computer. The thread keeps the process
 * alive until close().
 *
 * @throws GoodnessError `emulator.missing` without rp2040js, `emulator.build` if the thread's program was not built,
 * `emulator.start`, `firmware.file`
 */
export async function startPico(options: PicoOptions = {}): Promise<EmulatedPico> {
  const setup: PicoSetup = {
    segments: options.firmware === undefined ? [] : (await imageOf(options.firmware)).segments,
    ...(options.flash === undefined ? {} : { flash: options.flash }),
    ...(options.drive === undefined ? {} : { drive: options.drive }),
    ...(options.cutAtOperation === undefined ? {} : { cutAtOperation: options.cutAtOperation }),
  };
  const worker = new Worker(workerProgram(), { workerData: setup });
  const pico = new PicoWorker(worker);
  const port = await pico.ready(START_MS);
  return {
    address: `tcp://127.0.0.1:${port}`,
    ended: pico.ended,
    reset: async () => {
      await pico.ask('reset', ANSWER_MS);
    },
    counters: () => pico.ask('counters', ANSWER_MS),
    close: async () => {
      // It may have ended by itself.
      await pico.ask('off', ANSWER_MS).catch(() => {});
      await worker.terminate();
    },
  };
}

async function imageOf(firmware: FirmwareImage | string): Promise<FirmwareImage> {
  const image = typeof firmware === 'string' ? await readPicoFirmware(firmware) : firmware;
  for (const { address, bytes } of image.segments) {
    if (inFlash(address, bytes.length)) continue;
    throw new GoodnessError('firmware.file', 'the firmware does not fit the flash of a Pico', {
      expected: 'bytes from 0x10000000 to 0x101fffff',
      got: `${bytes.length} at 0x${address.toString(16)}`,
    });
  }
  return image;
}

/**
 * The thread's program as JavaScript: beside this file in the package. From the sources it is the one that was built last, unless a
 * file of the emulator is newer.
 */
function workerProgram(): URL {
  const here = new URL(import.meta.url);
  if (here.pathname.endsWith('.js')) return new URL('./rp2040-worker.js', here);
  const built = new URL('../../../dist/device/emulated/rp2040-worker.js', here);
  const stale = PARTS.find((part) => {
    const [source, made] = [`./rp2040-${part}.ts`, `rp2040-${part}.js`].map((name, i) =>
      fileURLToPath(new URL(name, i === 0 ? here : built)),
    ) as [string, string];
    return !existsSync(made) || statSync(made).mtimeMs < statSync(source).mtimeMs;
  });
  if (stale === undefined) return built;
  throw new GoodnessError('emulator.build', `the emulator's thread was not built since rp2040-${stale}.ts changed`, {
    fix: 'Build it with `npm run build`.',
  });
}

const PARTS = [
  'worker',
  'thread',
  'machine',
  'flash-chip',
  'flash-bus',
  'registers',
  'rom',
  'drive',
  'library',
  'firmware',
];

/** The host's end of the thread. */
class PicoWorker {
  readonly ended: Promise<string>;
  private readonly worker: Worker;
  private readonly waiting = new Map<number, (counters: PicoCounters) => void>();
  private lastId = 0;
  private onReady: (port: number) => void = () => {};
  private said: { readonly why: string; readonly code?: string } = { why: 'it was closed' };

  constructor(worker: Worker) {
    this.worker = worker;
    worker.on('message', (message: PicoReply) => this.receive(message));
    worker.on('error', (error) => {
      this.said = { why: error.message };
    });
    this.ended = new Promise((resolve) => {
      worker.once('exit', () => resolve(this.said.why));
    });
  }

  private receive(message: PicoReply): void {
    if (message.kind === 'ready') this.onReady(message.port);
    if (message.kind === 'done') {
      this.waiting.get(message.id)?.(message.counters);
      this.waiting.delete(message.id);
    }
    if (message.kind === 'ended') {
      this.said = message;
      void this.worker.terminate();
    }
  }

  /** The TCP port of the line, when the board runs. */
  ready(milliseconds: number): Promise<number> {
    const port = new Promise<number>((resolve) => {
      this.onReady = resolve;
    });
    return this.within(port, milliseconds, 'start');
  }

  ask(kind: PicoRequest['kind'], milliseconds: number): Promise<PicoCounters> {
    const id = ++this.lastId;
    const answer = new Promise<PicoCounters>((resolve) => {
      this.waiting.set(id, resolve);
    });
    const request: PicoRequest = { kind, id };
    this.worker.postMessage(request);
    return this.within(answer, milliseconds, kind);
  }

  /** The thread's answer, or an error if it ends before or takes too long: then it is ended. */
  private async within<T>(answer: Promise<T>, milliseconds: number, what: string): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const failed = (why: string): GoodnessError =>
      new GoodnessError(
        this.said.code ?? `emulator.${what === 'start' ? 'start' : 'ended'}`,
        'the emulated Pico failed',
        {
          got: `${what}: ${why}`,
          fix: 'Check that firmware and flash file are those of a Pico.',
        },
      );
    try {
      return await Promise.race([
        answer,
        this.ended.then((why) => Promise.reject(failed(why))),
        new Promise<never>((_, reject) => {
          timer = setTimeout(() => reject(failed(`no answer within ${milliseconds / 1000} s`)), milliseconds);
        }),
      ]);
    } catch (error) {
      await this.worker.terminate();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }
}
