import { SerialPortStream } from '@serialport/stream';
import type { BindingInterface, BindingPortInterface, OpenOptions, PortInfo, PortStatus } from './binding-types.js';
import { flashFile } from './flash-file.js';
import { DEFAULT_BAUD, serialTransport } from './serial.js';
import { SimulatedBoard, type SimulatedLink } from './simulated-board.js';
import type { Transport } from './transport.js';

/**
 * Opens a fresh simulated board in this process.
 *
 * @param name `sim`, or `sim:<file>` for a board that keeps its flash in that file
 */
export async function openSimulated(name = 'sim'): Promise<Transport> {
  const file = name.startsWith('sim:') ? name.slice(4) : '';
  return connectSimulated(await SimulatedBoard.start({}, file === '' ? undefined : flashFile(file)), name);
}

/** Opens a line to a simulated board, by way of a serialport stream like that of a real port. */
export async function connectSimulated(board: SimulatedBoard, name = 'sim'): Promise<Transport> {
  const port = new SerialPortStream({
    binding: new SimulatedBinding(board),
    path: name,
    baudRate: DEFAULT_BAUD,
    autoOpen: false,
  });
  await new Promise<void>((resolve, reject) => {
    port.open((error) => (error ? reject(error) : resolve()));
  });
  return serialTransport(port, name, undefined);
}

/** A serialport binding whose one port is a simulated board: give it to `SerialPortStream` as `binding`. */
export class SimulatedBinding implements BindingInterface<SimulatedPort> {
  private readonly board: SimulatedBoard;

  constructor(board: SimulatedBoard) {
    this.board = board;
  }

  async list(): Promise<PortInfo[]> {
    return [
      {
        path: 'sim',
        manufacturer: 'goodness',
        serialNumber: undefined,
        pnpId: undefined,
        locationId: undefined,
        productId: undefined,
        vendorId: undefined,
      },
    ];
  }

  async open(options: OpenOptions): Promise<SimulatedPort> {
    return new SimulatedPort(this.board, options);
  }
}

interface Read {
  readonly buffer: Buffer;
  readonly offset: number;
  readonly length: number;
  resolve(result: { buffer: Buffer; bytesRead: number }): void;
  reject(error: Error): void;
}

/** The port that `SimulatedBinding` opens. It has no modem lines, and its speed is that of the machine. */
export class SimulatedPort implements BindingPortInterface {
  readonly openOptions: Required<OpenOptions>;
  isOpen = true;
  private baudRate: number;
  private readonly link: SimulatedLink;
  private received: Uint8Array[] = [];
  private reading: Read | undefined;
  private lost: Error | undefined;

  constructor(board: SimulatedBoard, options: OpenOptions) {
    this.openOptions = {
      dataBits: 8,
      lock: true,
      stopBits: 1,
      parity: 'none',
      rtscts: false,
      xon: false,
      xoff: false,
      xany: false,
      hupcl: true,
      ...options,
    };
    this.baudRate = options.baudRate;
    this.link = board.connect({
      onData: (bytes) => {
        this.received.push(bytes);
        this.satisfy();
      },
      onGone: (reason) => {
        this.lost = reason;
        this.satisfy();
      },
    });
  }

  async close(): Promise<void> {
    this.assertOpen();
    this.isOpen = false;
    this.link.close();
    const reading = this.reading;
    this.reading = undefined;
    reading?.reject(canceled());
  }

  read(buffer: Buffer, offset: number, length: number): Promise<{ buffer: Buffer; bytesRead: number }> {
    if (!this.isOpen) return Promise.reject(canceled());
    return new Promise((resolve, reject) => {
      this.reading = { buffer, offset, length, resolve, reject };
      this.satisfy();
    });
  }

  async write(buffer: Buffer): Promise<void> {
    this.assertOpen();
    try {
      await this.link.write(buffer);
    } catch (error) {
      throw this.isOpen ? error : canceled();
    }
  }

  async update(options: { baudRate: number }): Promise<void> {
    this.assertOpen();
    this.baudRate = options.baudRate;
  }

  async set(): Promise<void> {
    this.assertOpen();
  }

  async get(): Promise<PortStatus> {
    this.assertOpen();
    return { cts: true, dsr: true, dcd: true };
  }

  async getBaudRate(): Promise<{ baudRate: number }> {
    this.assertOpen();
    return { baudRate: this.baudRate };
  }

  async flush(): Promise<void> {
    this.assertOpen();
    this.received = [];
  }

  async drain(): Promise<void> {
    this.assertOpen();
  }

  /** Serves the read under way from what was received, or ends it if the board is gone. */
  private satisfy(): void {
    const reading = this.reading;
    if (reading === undefined) return;
    const first = this.received[0];
    if (first !== undefined) {
      const bytesRead = Math.min(first.length, reading.length);
      reading.buffer.set(first.subarray(0, bytesRead), reading.offset);
      if (bytesRead < first.length) this.received[0] = first.subarray(bytesRead);
      else this.received.shift();
      this.reading = undefined;
      reading.resolve({ buffer: reading.buffer, bytesRead });
    } else if (this.lost !== undefined) {
      this.reading = undefined;
      reading.reject(this.lost);
    }
  }

  private assertOpen(): void {
    if (!this.isOpen) throw new Error('Port is not open');
  }
}

/** The error that serialport expects from reads and writes which end because the port is closed. */
function canceled(): Error & { canceled: true } {
  return Object.assign(new Error('Port is not open'), { canceled: true as const });
}
