import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { KernelMemory } from './memory.js';
import { type KernelExports, kernelModule } from './module.js';

/** More threads gain little: the layers of small devices are small. */
const MOST_THREADS = 4;
/** Bytes of a thread's stack. */
const STACK = 65536;

/** A thread's whole program: the loop that takes work is in the kernel. */
const THREAD = `
const { workerData: { module, memory, stack, thread } } = require('node:worker_threads');
const { exports } = new WebAssembly.Instance(module, { env: { memory } });
exports.__stack_pointer.value = stack;
exports.serve(thread);
`;

/** The training kernel with its memory and threads: one per process is enough, since what is in training shares them. */
export class Kernel {
  readonly code: KernelExports;
  readonly memory: KernelMemory;
  readonly threads: number;
  private scratch: Uint8Array;

  private constructor(code: KernelExports, memory: KernelMemory, threads: number) {
    this.code = code;
    this.memory = memory;
    this.threads = threads;
    this.scratch = memory.bytes(0);
    this.reserveScratch(1, 1);
  }

  /** @param threads counting the calling one */
  static async start(threads = Math.min(MOST_THREADS, availableParallelism())): Promise<Kernel> {
    const module = await kernelModule();
    const memory = KernelMemory.reserve();
    const instance = await WebAssembly.instantiate(module, { env: { memory } });
    const code = instance.exports as unknown as KernelExports;
    code.prepare();
    const kernel = new Kernel(code, new KernelMemory(memory, code.__heap_base.value as number), threads);
    for (let thread = 1; thread < threads; thread++) {
      const stack = kernel.memory.bytes(STACK);
      const workerData = { module, memory, stack: stack.byteOffset + STACK, thread };
      const worker = new Worker(THREAD, { eval: true, workerData });
      // The process may end while threads wait for work. A thread that fails is not missed: the others do its work.
      worker.unref();
      worker.once('exit', () => kernel.stacks.delete(stack));
      kernel.stacks.add(stack);
    }
    return kernel;
  }

  /** Makes room for layers of so many outputs and batches of so many rows in every thread's own memory. */
  reserveScratch(rows: number, outputs: number): void {
    const each = this.code.scratch_bytes(rows, outputs);
    if (each * this.threads <= this.scratch.length) return;
    this.scratch = this.memory.bytes(each * this.threads);
    this.code.set_threads(this.threads, this.scratch.byteOffset, each);
  }

  private readonly stacks = new Set<Uint8Array>();
}
