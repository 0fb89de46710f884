/** The way to one board of a chain: pieces of work start in their order, each as soon as the one `width` places before it is done. */
export class Lane {
  private readonly width: () => number;
  /** What waits for its turn, by its place. */
  private readonly waiting = new Map<number, { start(): void; fail(error: unknown): void }>();
  private readonly done = new Set<number>();
  private lowest: number;
  private next: number;
  private failure: { readonly error: unknown } | undefined;

  /**
   * @param from place of the first piece
   * @param width pieces that may be under way; asked anew for each
   */
  constructor(from: number, width: () => number) {
    this.lowest = from;
    this.next = from;
    this.width = width;
  }

  /** All pieces before this place are done. */
  get reached(): number {
    return this.lowest;
  }

  /** Does the piece of work at a place when it is its turn. */
  async run<T>(place: number, work: () => Promise<T>): Promise<T> {
    await new Promise<void>((start, fail) => {
      this.waiting.set(place, { start, fail });
      this.admit();
    });
    const result = await work();
    this.done.add(place);
    while (this.done.delete(this.lowest)) this.lowest++;
    this.admit();
    return result;
  }

  /** Starts nothing any more: what waits, and what comes, fails with this error. */
  fail(error: unknown): void {
    this.failure ??= { error };
    for (const { fail } of this.waiting.values()) fail(error);
    this.waiting.clear();
  }

  private admit(): void {
    if (this.failure !== undefined) this.fail(this.failure.error);
    for (let first = this.waiting.get(this.next); first !== undefined; first = this.waiting.get(this.next)) {
      if (this.next >= this.lowest + this.width()) return;
      this.waiting.delete(this.next++);
      first.start();
    }
  }
}
