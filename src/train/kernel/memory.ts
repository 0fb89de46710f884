import { GoodnessError } from '../../base/errors.js';

/** Bytes of a page of WebAssembly. */
const PAGE = 65536;
/** Most that 32-bit addresses reach. The pages are only reserved: memory is taken as it is needed. */
const MOST_PAGES = 65536;
/** Everything begins at a multiple of a cache line. */
const LINE = 64;

interface Block {
  readonly at: number;
  readonly bytes: number;
}

/**
 * The memory that the kernel's threads share. Arrays in it are views that stay valid as it grows, and their place is given back
 * when the garbage collector has found that nobody holds the view any more.
 */
export class KernelMemory {
  readonly memory: WebAssembly.Memory;
  private readonly buffers = new WeakSet<ArrayBufferLike>();
  /** Free stretches, ascending, none next to another. */
  private free: Block[] = [];
  private end: number;
  private readonly unused: FinalizationRegistry<Block>;

  /** @param base first byte that the module's own data leave free */
  constructor(memory: WebAssembly.Memory, base: number) {
    this.memory = memory;
    this.buffers.add(memory.buffer);
    this.end = Math.ceil(base / LINE) * LINE;
    this.unused = new FinalizationRegistry((block) => this.release(block));
  }

  static reserve(): WebAssembly.Memory {
    return new WebAssembly.Memory({ initial: 32, maximum: MOST_PAGES, shared: true });
  }

  /** Zeros. */
  floats(count: number): Float32Array {
    const at = this.allocate(count * 4);
    return this.watch(new Float32Array(this.memory.buffer, at, count).fill(0));
  }

  words(count: number): Uint32Array {
    const at = this.allocate(count * 4);
    return this.watch(new Uint32Array(this.memory.buffer, at, count).fill(0));
  }

  bytes(count: number): Uint8Array {
    const at = this.allocate(count);
    return this.watch(new Uint8Array(this.memory.buffer, at, count).fill(0));
  }

  /** Whether a view lies in this memory, so that its address is its byteOffset. */
  owns(view: ArrayBufferView): boolean {
    return this.buffers.has(view.buffer);
  }

  private watch<T extends ArrayBufferView>(view: T): T {
    const bytes = Math.max(LINE, Math.ceil(view.byteLength / LINE) * LINE);
    this.unused.register(view, { at: view.byteOffset, bytes });
    return view;
  }

  private allocate(count: number): number {
    const bytes = Math.max(LINE, Math.ceil(count / LINE) * LINE);
    const index = this.free.findIndex((block) => block.bytes >= bytes);
    if (index >= 0) {
      const block = this.free[index]!;
      const rest = { at: block.at + bytes, bytes: block.bytes - bytes };
      this.free.splice(index, 1, ...(rest.bytes > 0 ? [rest] : []));
      return block.at;
    }
    const at = this.end;
    this.grow(at + bytes);
    this.end = at + bytes;
    return at;
  }

  private grow(bytes: number): void {
    const missing = Math.ceil(bytes / PAGE) - this.memory.buffer.byteLength / PAGE;
    if (missing <= 0) return;
    try {
      this.memory.grow(missing);
    } catch (cause) {
      throw new GoodnessError('backend.memory', 'the training kernel has no memory left', {
        expected: `at most ${(MOST_PAGES * PAGE) / 2 ** 30} GB for all that is in training`,
        got: `${bytes} bytes`,
        fix: 'Train smaller layers or batches, or use the backend node.',
        cause,
      });
    }
    this.buffers.add(this.memory.buffer);
  }

  private release(block: Block): void {
    const after = this.free.findIndex(({ at }) => at > block.at);
    const index = after < 0 ? this.free.length : after;
    let { at, bytes } = block;
    let [from, count] = [index, 0];
    const left = this.free[index - 1];
    const right = this.free[index];
    if (left !== undefined && left.at + left.bytes === at) {
      [at, bytes, from, count] = [left.at, bytes + left.bytes, index - 1, 1];
    }
    if (right !== undefined && at + bytes === right.at) {
      bytes += right.bytes;
      count++;
    }
    this.free.splice(from, count, { at, bytes });
  }
}
