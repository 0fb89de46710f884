import { GoodnessError } from '../base/errors.js';
import type { Outcome } from '../format/message.js';
import { SLOT_HEADER } from '../format/slot.js';
import type { FlashStore } from './flash-file.js';
import { type CoreOptions, LINKS, WasmCore } from './wasm/core.js';
import type { ModelShape } from './wasm/shape.js';

/** What happens on one end of a simulated line. */
export interface LinkListener {
  /** Bytes that the device sent; they are the listener's to keep. */
  onData(bytes: Uint8Array): void;
  /** The board is gone. */
  onGone(reason: Error): void;
}

// Long enough that a sample costs few turns of the event loop, short enough that timers and sockets get their turn.
const STEPS_PER_TURN = 256;

/**
 * A board in this process: the firmware core with up to four lines to it. Work is done in turns of the event loop, so that
 * deadlines and sockets go on meanwhile. While the core works on a request, further bytes wait here, as SPEC.md 9.1 says.
 */
export class SimulatedBoard {
  private readonly core: WasmCore;
  private readonly store: FlashStore | undefined;
  private readonly links: (SimulatedLink | undefined)[] = new Array(LINKS).fill(undefined);
  private readonly saved: Uint8Array;
  private writes = 0;
  private scheduled = false;
  private gone: Error | undefined;
  private tellEnd: (reason: Error) => void = () => {};
  /** Resolves when the board is gone, with the reason. */
  readonly ended: Promise<Error> = new Promise((resolve) => {
    this.tellEnd = resolve;
  });

  private constructor(core: WasmCore, store: FlashStore | undefined) {
    this.core = core;
    this.store = store;
    this.saved = this.slotHeaders();
  }

  /**
   * Powers a board on. Its flash is what `store` holds, or erased.
   * @throws GoodnessError `store.file` if the store can't be read or written, `store.size` if it is another board's
   */
  static async start(options: Omit<CoreOptions, 'flash'> = {}, store?: FlashStore): Promise<SimulatedBoard> {
    store?.checkWritable?.();
    const flash = store?.load();
    const core = await WasmCore.create(flash === undefined ? options : { ...options, flash });
    core.boot();
    return new SimulatedBoard(core, store);
  }

  /**
   * Takes one of the board's lines.
   * @throws GoodnessError `port.busy` if all are taken, `port.absent` if the board is gone
   */
  connect(listener: LinkListener): SimulatedLink {
    this.assertThere();
    const index = this.links.indexOf(undefined);
    if (index < 0) {
      throw new GoodnessError('port.busy', `all ${LINKS} lines of the simulated board are taken`, {
        fix: 'Close one of the other programs that talk to it.',
      });
    }
    // What an earlier user of the line did not fetch is not for the new one.
    while (this.core.take(index).length > 0);
    const link = new SimulatedLink(index, listener, {
      wake: () => this.schedule(),
      release: () => {
        this.links[index] = undefined;
      },
    });
    this.links[index] = link;
    return link;
  }

  /** Shape of the model that the board holds; throws `device.no_model` if there is none. */
  get shape(): ModelShape {
    return this.core.shape;
  }

  /** Flash pages erased and pieces written so far: the stored model is the same as long as this number is. */
  get flashWrites(): number {
    return this.core.flashWrites;
  }

  /** The image as it stands now (see WasmCore). */
  image(): Uint8Array {
    return this.core.image();
  }

  /** Scores of all classes for the sample classified or learned last. */
  scores(): Uint32Array {
    return this.core.scores();
  }

  /** Classifies a sample of the board's own sensor, beside what goes over its lines. */
  infer(x: Uint8Array, label?: number): Outcome {
    this.assertThere();
    return this.core.infer(x, label);
  }

  /** Learns a sample of the board's own sensor. A save that a line asked for is finished first (SPEC.md 9). */
  learn(x: Uint8Array, label: number): Outcome {
    this.assertThere();
    const outcome = this.core.learn(x, label);
    this.saveFlash();
    return outcome;
  }

  /** Cuts the board off at once, as if somebody pulled its plug. */
  unplug(reason: string | Error = 'the board was unplugged'): void {
    if (this.gone !== undefined) return;
    this.gone = typeof reason === 'string' ? new Error(reason) : reason;
    this.tellEnd(this.gone);
    for (const link of this.links.slice()) link?.fail(this.gone);
  }

  private assertThere(): void {
    if (this.gone !== undefined) throw new GoodnessError('port.absent', 'the simulated board is gone');
  }

  private schedule(): void {
    if (this.scheduled || this.gone !== undefined) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      if (this.gone !== undefined) return;
      try {
        if (this.turn()) this.schedule();
      } catch (error) {
        // The core trapped or the flash file could not be written: to the other side that is a dead board.
        this.unplug(error instanceof Error ? error : String(error));
      }
    });
  }

  /** Does some work; true if there is more. */
  private turn(): boolean {
    for (let n = 0; n < STEPS_PER_TURN; n++) {
      let busy = false;
      for (const link of this.links) {
        if (link?.feed((bytes) => this.core.feed(link.index, bytes))) busy = true;
      }
      if (this.core.step()) busy = true;
      this.saveFlash();
      for (const link of this.links) {
        const bytes = link === undefined ? undefined : this.core.take(link.index);
        if (bytes === undefined || bytes.length === 0) continue;
        busy = true;
        link?.deliver(bytes);
      }
      if (!busy) return false;
    }
    return true;
  }

  /** Saves the flash before the answer that promises it: whatever is committed changes a slot's header. */
  private saveFlash(): void {
    if (this.store === undefined || this.core.flashWrites === this.writes) return;
    this.writes = this.core.flashWrites;
    const headers = this.slotHeaders();
    if (headers.every((byte, i) => byte === this.saved[i])) return;
    this.saved.set(headers);
    this.store.save(this.core.flash);
  }

  private slotHeaders(): Uint8Array {
    const flash = this.core.flash;
    const headers = new Uint8Array(2 * SLOT_HEADER);
    headers.set(flash.subarray(0, SLOT_HEADER));
    headers.set(flash.subarray(flash.length / 2, flash.length / 2 + SLOT_HEADER), SLOT_HEADER);
    return headers;
  }
}

/** One line of a simulated board, as the host's end sees it. */
export class SimulatedLink {
  readonly index: number;
  private readonly listener: LinkListener;
  private readonly board: { wake(): void; release(): void };
  private readonly waiting: { bytes: Uint8Array; taken: () => void; failed: (error: Error) => void }[] = [];
  private open = true;

  constructor(index: number, listener: LinkListener, board: { wake(): void; release(): void }) {
    this.index = index;
    this.listener = listener;
    this.board = board;
  }

  /** Sends bytes to the board, which copies nothing before it needs them; resolves when it has taken them all. */
  write(bytes: Uint8Array): Promise<void> {
    if (!this.open) return Promise.reject(new Error('the line is closed'));
    return new Promise((taken, failed) => {
      this.waiting.push({ bytes, taken, failed });
      this.board.wake();
    });
  }

  /** Gives the line back. */
  close(): void {
    this.end(new Error('the line was closed'));
  }

  /** For the board: offers what waits to `take`, which says how many bytes it took. True if any were. */
  feed(take: (bytes: Uint8Array) => number): boolean {
    let any = false;
    for (let first = this.waiting[0]; first !== undefined; first = this.waiting[0]) {
      const n = first.bytes.length === 0 ? 0 : take(first.bytes);
      if (n > 0) any = true;
      first.bytes = first.bytes.subarray(n);
      if (first.bytes.length > 0) break;
      this.waiting.shift();
      first.taken();
    }
    return any;
  }

  /** For the board: hands its bytes to the host. */
  deliver(bytes: Uint8Array): void {
    this.listener.onData(bytes);
  }

  /** For the board: it is gone. */
  fail(reason: Error): void {
    if (!this.open) return;
    this.end(reason);
    this.listener.onGone(reason);
  }

  private end(reason: Error): void {
    if (!this.open) return;
    this.open = false;
    this.board.release();
    for (const { failed } of this.waiting.splice(0)) failed(reason);
  }
}
