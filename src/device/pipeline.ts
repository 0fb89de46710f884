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

/** A stretch of work for a device that takes it in its order only, and ignores what comes too early or twice. */
export interface Sequence {
  /** Where to begin, and where the end is. */
  readonly from: number;
  readonly end: number;
  /** Pieces to have under way; asked anew for each. */
  width(): number;
  /** Sends the piece that begins at `at`. `next` is where the device expects the next one, undefined if nothing came back. */
  send(at: number): { readonly end: number; readonly next: Promise<number | undefined> };
  /** Called whenever the device has come further. */
  onNext?(next: number): void;
  /** Called with how often a piece at the same place was lost so far; throws to give up. */
  onLost(times: number): void;
}

/** Sends a sequence to its end, and goes back to where the device stands whenever something was lost. */
export async function sendSequence(sequence: Sequence): Promise<void> {
  const { from, end } = sequence;
  let cursor = from;
  let reached = from;
  let lost = 0;
  // What was sent before the last step back says where the device stands, but nothing about what was sent since.
  let step = 0;
  let underWay = 0;
  const goBack = (): void => {
    cursor = reached;
    step++;
    underWay = 0;
    sequence.onLost(++lost);
  };
  await pipeline(
    () => sequence.width(),
    () => {
      if (cursor >= end) return undefined;
      const piece = sequence.send(cursor);
      cursor = piece.end;
      underWay++;
      const mine = step;
      return piece.next.then((next) => {
        if (mine === step) underWay--;
        if (next !== undefined && next > reached) {
          reached = next;
          lost = 0;
          cursor = Math.max(cursor, reached);
          sequence.onNext?.(reached);
        }
        if (mine !== step || reached >= piece.end) return;
        // The answer to a later piece tells where the device stands; without one it stands where it stood.
        if (next !== undefined || underWay === 0) goBack();
      });
    },
  );
}
