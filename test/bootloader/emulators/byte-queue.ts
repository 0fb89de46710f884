/** Bytes that an emulated chip waits for, one after the other. */
export class ByteQueue {
  readonly #bytes: number[] = [];
  #waiting: ((byte: number) => void) | undefined;

  push(bytes: Uint8Array): void {
    for (const byte of bytes) {
      const waiting = this.#waiting;
      this.#waiting = undefined;
      if (waiting === undefined) this.#bytes.push(byte);
      else waiting(byte);
    }
  }

  next(): Promise<number> {
    const byte = this.#bytes.shift();
    if (byte !== undefined) return Promise.resolve(byte);
    return new Promise((resolve) => {
      this.#waiting = resolve;
    });
  }

  async take(count: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(count);
    for (let i = 0; i < count; i++) bytes[i] = await this.next();
    return bytes;
  }
}
