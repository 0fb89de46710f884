/** A stretch of bytes for a processor's flash. */
export interface Segment {
  readonly address: number;
  readonly bytes: Uint8Array;
}

/** What is to be in a board's flash: segments sorted by address that don't touch each other. What lies between them stays as it is. */
export interface FirmwareImage {
  readonly segments: readonly Segment[];
}
