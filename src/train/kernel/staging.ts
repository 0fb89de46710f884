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
