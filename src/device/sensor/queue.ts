/** Samples on their way from a sensor's events to whoever takes them, oldest first. */
export class SampleQueue<T> implements AsyncIterable<T> {
  /** Samples thrown away because the queue was full. */
  lost = 0;
  private readonly most: number;
  private readonly held: T[] = [];
  private waiting: { resolve(result: IteratorResult<T>): void; reject(error: Error): void } | undefined;
  private ended = false;
  private failure: Error | undefined;

  /** @param most samples that are held; beyond that the oldest go */
  constructor(most = 10_000) {
    this.most = most;
  }

  push(sample: T): void {
    if (this.ended) return;
    const waiting = this.waiting;
    if (waiting !== undefined) {
      this.waiting = undefined;
      waiting.resolve({ value: sample, done: false });
      return;
    }
    if (this.held.length === this.most) {
      this.held.shift();
      this.lost++;
    }
    this.held.push(sample);
  }

  /** Nothing more will come: what is held can still be taken, then the iteration ends, with `failure` if there is one. */
  end(failure?: Error): void {
    if (this.ended) return;
    this.ended = true;
    this.failure = failure;
    const waiting = this.waiting;
    this.waiting = undefined;
    if (failure === undefined) waiting?.resolve({ value: undefined, done: true });
    else waiting?.reject(failure);
  }

  [Symbol.asyncIterator](): AsyncIterator<T> {
    return { next: () => this.next() };
  }

  private next(): Promise<IteratorResult<T>> {
    const first = this.held.shift();
    if (first !== undefined) return Promise.resolve({ value: first, done: false });
    if (this.failure !== undefined) return Promise.reject(this.failure);
    if (this.ended) return Promise.resolve({ value: undefined, done: true });
    return new Promise((resolve, reject) => {
      this.waiting = { resolve, reject };
    });
  }
}
