/** What is assumed before anything was sent: a chance of 1 in 10,000 per byte, as firmly as 3,000 bytes would tell. */
const PRIOR_RATE = 1e-4;
const PRIOR_BYTES = 3000;
/** Bytes after which what was seen counts e times less: a line that got better is trusted again. */
const MEMORY = 32_768;
/** No piece has fewer bytes: what goes with it costs more. */
const LEAST_PIECE = 16;
/** Chance of a loss among all that is under way which is put up with. */
const RISK = 0.25;
/** With two requests under way the answer to the second tells at once that the first was lost. */
const LEAST_WINDOW = 2;

/**
 * The chance that a byte gets lost or damaged, from frames that came and frames that didn't; and what follows for how much to send at
 * once. Long pieces waste few bytes on frames, short ones few bytes on losses.
 */
export class LossRate {
  private lost = PRIOR_RATE * PRIOR_BYTES;
  private bytes = PRIOR_BYTES;

  /** Chance of a loss per byte. */
  get perByte(): number {
    return this.lost / this.bytes;
  }

  /** Frames of so many bytes came, there and back. */
  came(bytes: number): void {
    this.forget(bytes);
    this.bytes += bytes;
  }

  /** One of the frames of so many bytes, there and back, got lost. */
  wasLost(bytes: number): void {
    // A long frame that was lost may have been hit several times: as often as is to be expected of one that was hit at all.
    const hits = this.perByte * bytes;
    this.came(bytes);
    this.lost += hits < 1e-6 ? 1 : hits / -Math.expm1(-hits);
  }

  /**
   * Bytes to put into one piece of what the device takes in any order: overhead / piece + rate * piece is least at the root of
   * overhead / rate.
   *
   * @param overhead bytes that go with each piece, there and back
   * @param most bytes of a piece that the device takes
   */
  piece(overhead: number, most: number): number {
    return this.best(overhead, 1, most);
  }

  /**
   * How to send what the device takes in its order only, so that a lost piece makes void what is under way behind it.
   *
   * @param overhead bytes that go with each piece
   * @param most bytes of a piece that the device takes
   * @param window pieces that may be under way
   */
  sequence(overhead: number, most: number, window: number): { piece: number; width: number } {
    const least = Math.min(LEAST_WINDOW, window);
    const frame = overhead + this.best(overhead, least, most);
    const width = this.width(frame, window);
    return { piece: this.best(overhead, width, most), width };
  }

  /**
   * Pieces of a fixed length to have under way where a lost one makes void all behind it.
   * @param frame bytes of one, there and back
   * @param window pieces that may be under way
   */
  width(frame: number, window: number): number {
    // As if one more had been lost: on a line that is not known yet little is risked.
    const rate = (this.lost + 1) / this.bytes;
    return Math.min(window, Math.max(LEAST_WINDOW, Math.floor(RISK / (rate * frame))));
  }

  private best(overhead: number, behind: number, most: number): number {
    return Math.min(most, Math.max(LEAST_PIECE, Math.sqrt(overhead / (this.perByte * behind))));
  }

  private forget(bytes: number): void {
    const left = Math.exp(-bytes / MEMORY);
    this.lost = PRIOR_RATE * PRIOR_BYTES * (1 - left) + this.lost * left;
    this.bytes = PRIOR_BYTES * (1 - left) + this.bytes * left;
  }
}
