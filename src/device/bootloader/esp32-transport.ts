import { GoodnessError } from '../../base/errors.js';
import { type Clock, pause } from '../clock.js';
import type { Line, LineSettings, ModemLines } from './line.js';

const END = 0xc0;
const ESCAPE = 0xdb;
const ESCAPED_END = 0xdc;
const ESCAPED_ESCAPE = 0xdd;
/** Most bytes of a packet from the chip: a block of flash read back is the longest there is, 4 KB and a header. */
const LONGEST = 8192;
/** Most bytes that are thrown away while the line should become quiet. */
const DRAIN = 65536;

/**
 * What the flasher of esptool-js needs of its port, over a line of ours: packets in SLIP (RFC 1055) with a cap on their length
 * and a deadline on every read, and modem lines. It has all methods that esptool-js 0.7.0's loader and resets call on a transport,
 * and touches no browser global.
 */
export class EsptoolTransport {
  /** esptool-js asks for it before it traces; there is nobody to read a trace. */
  tracing = false;
  /** Whether the port has modem lines, once they were used. */
  wired = false;
  readonly #open: (settings: LineSettings) => Promise<Line>;
  readonly #clock: Clock;
  #line: Line | undefined;
  #dtr = false;

  /** @param open opens the line; called once per connection */
  constructor(open: (settings: LineSettings) => Promise<Line>, clock: Clock) {
    this.#open = open;
    this.#clock = clock;
  }

  async connect(baud: number): Promise<void> {
    await this.#line?.close();
    this.#line = await this.#open({ baud });
  }

  async disconnect(): Promise<void> {
    await this.#line?.close();
    this.#line = undefined;
  }

  /** The line collects what comes by itself. */
  readLoop(): void {}

  getInfo(): string {
    return this.#line?.name ?? '';
  }

  /** USB ids choose between kinds of reset; a line has none, which means the one by DTR and RTS. */
  getVid(): undefined {}

  getPid(): undefined {}

  trace(): void {}

  hexify(bytes: Uint8Array): string {
    return Buffer.from(bytes).toString('hex');
  }

  hexConvert(bytes: Uint8Array): string {
    return this.hexify(bytes);
  }

  /** Only looked at for a boot message. */
  peek(): Uint8Array {
    return new Uint8Array();
  }

  flushInput(): void {
    this.#line?.clear();
  }

  async drainInput(quietMs = 100): Promise<void> {
    for (let i = 0; i < DRAIN && (await this.#byteOrNothing(quietMs)) !== undefined; i++);
  }

  async write(packet: Uint8Array): Promise<void> {
    const framed: number[] = [END];
    for (const byte of packet) {
      if (byte === END) framed.push(ESCAPE, ESCAPED_END);
      else if (byte === ESCAPE) framed.push(ESCAPE, ESCAPED_ESCAPE);
      else framed.push(byte);
    }
    framed.push(END);
    await this.#connected().write(Uint8Array.from(framed));
  }

  /**
   * The next packet. Whatever stands between two ends counts as one, noise too: the loader skips what is no answer.
   * @throws GoodnessError `bootloader.timeout` after `milliseconds`
   */
  async read(milliseconds: number): Promise<Uint8Array> {
    const deadline = this.#clock.now() + milliseconds;
    let packet: number[] = [];
    let escaped = false;
    let valid = true;
    for (;;) {
      const left = deadline - this.#clock.now();
      if (left <= 0) throw new GoodnessError('bootloader.timeout', `no packet came within ${milliseconds} ms`);
      const [byte] = await this.#connected().read(1, left);
      if (byte === END) {
        if (packet.length > 0 && valid && !escaped) return Uint8Array.from(packet);
        packet = [];
        escaped = false;
        valid = true;
      } else if (escaped) {
        escaped = false;
        if (byte === ESCAPED_END) packet.push(END);
        else if (byte === ESCAPED_ESCAPE) packet.push(ESCAPE);
        else valid = false;
      } else if (byte === ESCAPE) {
        escaped = true;
      } else if (packet.length < LONGEST) {
        packet.push(byte!);
      } else {
        valid = false;
      }
    }
  }

  /** RTS is EN on the usual boards: set holds the chip in reset. */
  async setRTS(level: boolean): Promise<void> {
    await this.#modem({ dtr: this.#dtr, rts: level });
  }

  /** DTR is GPIO0 on the usual boards: set asks for the bootloader. */
  async setDTR(level: boolean): Promise<void> {
    this.#dtr = level;
    await this.#modem({ dtr: level });
  }

  async setSignals(dtr: boolean, rts: boolean): Promise<void> {
    this.#dtr = dtr;
    await this.#modem({ dtr, rts });
  }

  /** Never asked for, as the speed of the handshake is kept: opening a port anew would reset many boards. */
  async changeBaudrate(): Promise<never> {
    throw new GoodnessError('bootloader.refused', 'this line keeps its speed');
  }

  /** Starts the program in flash. False where the port has no modem lines. */
  async restart(): Promise<boolean> {
    await this.setSignals(false, true);
    if (!this.wired) return false;
    await pause(this.#clock, 100);
    await this.setSignals(false, false);
    return true;
  }

  async #modem(levels: ModemLines): Promise<void> {
    this.wired = await this.#connected().modem(levels);
  }

  #connected(): Line {
    if (this.#line !== undefined) return this.#line;
    throw new GoodnessError('bootloader.timeout', 'the line is closed');
  }

  async #byteOrNothing(milliseconds: number): Promise<number | undefined> {
    try {
      return (await this.#connected().read(1, milliseconds))[0];
    } catch (error) {
      if (error instanceof GoodnessError && error.code === 'bootloader.timeout') return undefined;
      throw error;
    }
  }
}
