/**
 * A two-way stream of bytes to one device: the only thing that sessions know of ports, sockets and simulations. It keeps the
 * order of bytes but may lose, flip or repeat some: frames take care of that (SPEC.md 9.1).
 */
export interface Transport {
  /** What the user called it, for messages: `sim`, `/dev/ttyUSB0`, `tcp://127.0.0.1:4210`. */
  readonly name: string;
  /** Bits per second on the line, 10 of them per byte; undefined where the line is no bottleneck. */
  readonly baud: number | undefined;
  /** Bytes written and read so far, for reports. */
  readonly traffic: Traffic;
  /** Resolves when the layer below has taken the bytes; rejects with `device.gone` once the transport is closed. */
  write(bytes: Uint8Array): Promise<void>;
  /** Sets the one listener for incoming bytes. They are valid during the call only. */
  onData(listener: (bytes: Uint8Array) => void): void;
  /** Sets the one listener for the end, whoever brought it about; `reason` is missing where `close` did. */
  onClose(listener: (reason?: Error) => void): void;
  /** Closes it and resolves when the port is free again. Closing twice does nothing. */
  close(): Promise<void>;
}

/** Bytes on the line, frames and all. */
export interface Traffic {
  /** From the device to the host. */
  up: number;
  /** From the host to the device. */
  down: number;
}
