/** Numbers of a tensor as they lie in memory. */
export type TensorData = Int8Array | Uint8Array | Int16Array | Int32Array | Float32Array;

/** What the thread of an interpreter starts with. */
export interface InterpreterSetup {
  /** The `.tflite` file. */
  readonly model: Uint8Array;
}

/** Samples one after the other: (count, elements of the input). */
export interface RunRequest {
  readonly id: number;
  readonly count: number;
  readonly input: TensorData;
}

export type InterpreterReply =
  | { readonly kind: 'ready'; readonly inputs: readonly number[]; readonly outputs: readonly number[] }
  | { readonly kind: 'missing'; readonly why: string }
  | { readonly kind: 'failed'; readonly id?: number; readonly why: string }
  | { readonly kind: 'done'; readonly id: number; readonly output: TensorData };
