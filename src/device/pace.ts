/** No device is taken for late sooner than this, in ms: USB adapters and the host itself pause so long. Then it is only asked. */
const LEAST_MS = 25;
/** Gains of the averages, and the factor of the deviation: those of TCP's retransmission timer (RFC 6298). */
const MEAN_GAIN = 1 / 8;
const DEVIATION_GAIN = 1 / 4;
const DEVIATIONS = 4;

/** How long a device usually takes for each kind of request, so that a lost one is noticed soon. */
export class Pace {
  private readonly kinds = new Map<number, { mean: number; deviation: number }>();

  /** A request of this type was answered `milliseconds` after the device could begin with it. */
  answered(type: number, milliseconds: number): void {
    const kind = this.kinds.get(type);
    if (kind === undefined) {
      this.kinds.set(type, { mean: milliseconds, deviation: milliseconds / 2 });
      return;
    }
    kind.deviation += DEVIATION_GAIN * (Math.abs(milliseconds - kind.mean) - kind.deviation);
    kind.mean += MEAN_GAIN * (milliseconds - kind.mean);
  }

  /** After how many ms an answer is late; undefined for a type that was never answered. */
  late(type: number): number | undefined {
    const kind = this.kinds.get(type);
    return kind === undefined ? undefined : Math.max(LEAST_MS, kind.mean + DEVIATIONS * kind.deviation);
  }
}
