/** A sensor that is read at a steady rate: one number per channel and moment. */
export interface SampleSource {
  /** Names of the channels, in the order of the values: `a0`, `x`. */
  readonly channels: readonly string[];
  /** Samples per second that it was asked for. */
  readonly rate: number;
  /**
   * Samples (channels) as they come, until `close` is called or the sensor is gone.
   * @throws GoodnessError `sensor.silent` if nothing comes for a while, `sensor.gone` if the board goes
   */
  samples(): AsyncIterable<Float64Array>;
  /** Samples that came and were thrown away because nobody took them in time. */
  readonly lost: number;
  /** Stops the sensor and frees its port. Closing twice does nothing. */
  close(): Promise<void>;
}
