/** Flash as chips have it: an erase sets a sector to 0xFF, a write can only clear bits. */
export class NorFlash {
  readonly bytes: Uint8Array;
  /** Numbers of the sectors that were erased, in order. */
  readonly erased: number[] = [];
  /** A bit that reads 1 whatever is written, as worn flash does: address from the start, and bit. */
  stuck: { readonly offset: number; readonly bit: number } | undefined;
  readonly #sectors: readonly { readonly offset: number; readonly bytes: number }[];

  /** @param sectorBytes sizes of the sectors, in order */
  constructor(sectorBytes: readonly number[]) {
    let offset = 0;
    this.#sectors = sectorBytes.map((bytes) => {
      const sector = { offset, bytes };
      offset += bytes;
      return sector;
    });
    this.bytes = new Uint8Array(offset).fill(0xff);
  }

  get sectorCount(): number {
    return this.#sectors.length;
  }

  erase(index: number): void {
    const { offset, bytes } = this.#sectors[index]!;
    this.bytes.fill(0xff, offset, offset + bytes);
    this.erased.push(index);
  }

  /** Erases all sectors that the stretch touches. */
  eraseStretch(offset: number, count: number): void {
    for (const [i, s] of this.#sectors.entries()) {
      if (s.offset < offset + count && s.offset + s.bytes > offset) this.erase(i);
    }
  }

  write(offset: number, bytes: Uint8Array): void {
    for (let i = 0; i < bytes.length; i++) {
      const at = offset + i;
      this.bytes[at] = this.bytes[at]! & bytes[i]!;
      if (this.stuck?.offset === at) this.bytes[at] = this.bytes[at]! | (1 << this.stuck.bit);
    }
  }
}
