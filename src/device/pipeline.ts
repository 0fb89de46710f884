/**
 * Keeps promises under way until `next` has no more to start. The first failure is thrown as soon as what is under way has
 * ended; nothing is started after it.
 *
 * @param width how many at once; asked anew for each
 * @param next starts the next piece of work, or gives undefined if there is none (for now: it is asked again whenever a
 * piece has ended)
 */
export async function pipeline(width: () => number, next: () => Promise<void> | undefined): Promise<void> {
  let failure: { error: unknown } | undefined;
  const running = new Set<Promise<void>>();
  for (;;) {
    while (failure === undefined && running.size < width()) {
      const work = next();
      if (work === undefined) break;
      const tracked: Promise<void> = work
        .catch((error: unknown) => {
          failure ??= { error };
        })
        .finally(() => running.delete(tracked));
      running.add(tracked);
    }
    if (running.size === 0) break;
    await Promise.race(running);
  }
  if (failure !== undefined) throw failure.error;
}

/**
 * How many pieces of a sequence to have under way where a lost piece makes all behind it void: half as many after a loss, one
 * more after as many successes as are under way (additive increase, multiplicative decrease, as TCP does).
 */
export class SequenceWindow {
  width: number;
  private readonly most: number;
  private successes = 0;

  /** @param most pieces at once, >= 1 */
  constructor(most: number) {
    this.most = most;
    this.width = most;
  }

  /** A piece came in its order. */
  succeeded(): void {
    if (++this.successes < this.width) return;
    this.successes = 0;
    this.width = Math.min(this.most, this.width + 1);
  }

  /** A piece was lost. */
  lost(): void {
    this.successes = 0;
    // Two at least: the answer to the second tells at once that the first was lost.
    this.width = Math.min(this.most, Math.max(2, this.width >> 1));
  }
}
