const PAGE = 65536;

/** The core's linear memory, handed out from the heap's base upwards; nothing is ever given back. */
export class CoreMemory {
  private readonly memory: WebAssembly.Memory;
  private next: number;
  private view: Uint8Array;

  constructor(memory: WebAssembly.Memory, heapBase: number) {
    this.memory = memory;
    this.next = heapBase;
    this.view = new Uint8Array(memory.buffer);
  }

  /** Address of `bytes` fresh bytes, a multiple of 8. Views taken before this call may be dead afterwards. */
  allocate(bytes: number): number {
    const at = (this.next + 7) & ~7;
    this.next = at + bytes;
    const missing = this.next - this.memory.buffer.byteLength;
    if (missing > 0) this.memory.grow(Math.ceil(missing / PAGE));
    return at;
  }

  /** All of it. Take it anew after anything that may have grown the memory. */
  get bytes(): Uint8Array {
    if (this.view.buffer !== this.memory.buffer) this.view = new Uint8Array(this.memory.buffer);
    return this.view;
  }

  /** A view of `count` bytes at `at`. */
  slice(at: number, count: number): Uint8Array {
    return this.bytes.subarray(at, at + count);
  }
}

/** A block of core memory that grows when more is asked for than ever before. */
export class Scratch {
  private readonly memory: CoreMemory;
  private at = 0;
  private size = -1;

  constructor(memory: CoreMemory) {
    this.memory = memory;
  }

  /** Address of at least `bytes` bytes; what they held before is gone. */
  reserve(bytes: number): number {
    if (bytes > this.size) {
      this.size = Math.max(bytes, 2 * this.size, 64);
      this.at = this.memory.allocate(this.size);
    }
    return this.at;
  }

  /** Copies `bytes` in and gives their address. */
  put(bytes: Uint8Array): number {
    const at = this.reserve(bytes.length);
    this.memory.bytes.set(bytes, at);
    return at;
  }
}
