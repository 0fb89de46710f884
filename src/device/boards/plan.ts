import type { BoardId } from './board.js';

/** What becomes of one layer on a board. */
export interface LayerPlan {
  readonly layer: number;
  readonly inputs: number;
  readonly neurons: number;
  /** `flash`: its weights are used where the image lies, and stay as they are. `ram`: it works on a copy. */
  readonly memory: 'flash' | 'ram';
  readonly learns: boolean;
  /** Where its weights lie: tag of the layout (SPEC.md 2.4) that the board's kernel wants. */
  readonly layout: number;
  /** Bytes of its weights. */
  readonly bytes: number;
}

/** A need beside what there is for it, both in bytes. */
export interface Room {
  readonly need: number;
  readonly have: number;
}

/** Where everything in a model goes on a board, and whether it fits. All numbers are bytes. */
export interface Plan {
  readonly board: BoardId;
  readonly layers: readonly LayerPlan[];
  /** The arena, by what it is for: as the firmware core itself lays it out. */
  readonly ram: Room & {
    readonly weights: number;
    readonly inference: number;
    readonly learning: number;
    /** Class statistics at their full level, which take what is left of the arena. */
    readonly statistics: number;
    /** Highest level of them that fits: 0 none, 1 means, 2 means and squares. */
    readonly statisticsLevel: 0 | 1 | 2;
  };
  /** RAM beside the arena, and that of the chip; undefined where an operating system gives it. */
  readonly beside: {
    readonly link: number;
    readonly stack: number;
    readonly fixed: number;
    readonly chip: number | undefined;
  };
  /** The image and its header in a slot, or in program flash. */
  readonly image: Room;
  /** What the board saves when it has learned, where that isn't the image itself. */
  readonly record: Room | undefined;
  /** A sample in a request. */
  readonly sample: Room;
  readonly fits: boolean;
  /** Why it doesn't fit, or why a layer doesn't learn that could. */
  readonly reasons: readonly string[];
  /** What would fit, where this doesn't. */
  readonly nearest: readonly string[];
}
