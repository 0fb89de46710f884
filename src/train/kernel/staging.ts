import type { Kernel } from './kernel.js';

/** A place in the kernel's memory for an argument that lies outside of it. */
export class Staging {
  private readonly kernel: Kernel;
  private bytes: Uint8Array = new Uint8Array(0);

  constructor(kernel: Kernel) {
    this.kernel = kernel;
  }

  /** Address of the view's numbers, which are copied if they have to be; valid until the next call. */
  address(view: Uint8Array | Float32Array): number {
    const { memory } = this.kernel;
    if (memory.owns(view)) return view.byteOffset;
    if (this.bytes.length < view.byteLength) this.bytes = memory.bytes(view.byteLength);
    this.bytes.set(new Uint8Array(view.buffer, view.byteOffset, view.byteLength));
    return this.bytes.byteOffset;
  }
}

/** A place in the kernel's memory for a result that is wanted outside of it. */
export class Output {
  private readonly kernel: Kernel;
  private floats: Float32Array = new Float32Array(0);

  constructor(kernel: Kernel) {
    this.kernel = kernel;
  }

  /** Fills an array by a call that writes all of it at an address. */
  fill(target: Float32Array, write: (address: number) => void): void {
    if (this.floats.length < target.length) this.floats = this.kernel.memory.floats(target.length);
    write(this.floats.byteOffset);
    target.set(this.floats.subarray(0, target.length));
  }
}
