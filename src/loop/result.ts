import type { RamSplit } from '../device/wasm/core.js';

/**
 * What a run of the whole loop found. All errors and rates are in percent of the test samples, as computed by the device; the control is the same firmware
 * core in the host's process.
 */
export interface LoopResult {
  readonly dataset: string;
  /** Sizes of the layers, such as 784-120-120. */
  readonly layers: string;
  readonly seed: number;
  readonly train: {
    readonly backend: string;
    readonly epochs: number;
    readonly seconds: number;
    /** Of the network in floating point, on the host. */
    readonly testError: number;
  };
  readonly quantized: {
    /** Bits of each layer's weights. */
    readonly bits: readonly number[];
    readonly testError: number;
    readonly falseReject: number;
    readonly falseAccept: number;
    readonly imageBytes: number;
  };
  readonly device: { readonly target: string; readonly ram: RamSplit };
  readonly shift: string;
  /** Of the device on shifted test data before it learned anything. */
  readonly frozenError: number;
  readonly learn: readonly LearnPoint[];
  readonly syncs: readonly SyncPoint[];
  /** Samples that the device and the TypeScript reference both classified, and how many came out otherwise in class, flags or a score. */
  readonly parity: { readonly samples: number; readonly mismatches: number };
}

/** The device on shifted test data after it learned from a number of samples of the shifted stream. */
export interface LearnPoint {
  readonly samples: number;
  readonly error: number;
  readonly falseAccept: number;
}

/** A sync after a number of samples. */
export interface SyncPoint {
  readonly atSamples: number;
  /** Bytes over the line, frames and all. */
  readonly bytesUp: number;
  readonly bytesDown: number;
  /** Steps of the negative phase. */
  readonly steps: number;
  /** On shifted test data just before ... */
  readonly errorBefore: number;
  /** ... and just after. */
  readonly error: number;
  /** What the same sync gives a device that learned nothing and only told its statistics: the honest comparison. */
  readonly controlError: number;
  readonly falseAccept: number;
  /** On test data without the shift. */
  readonly cleanError: number;
}
