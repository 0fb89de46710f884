/** A row of the paper's table: an experiment of Hinton 2022 and our training of the same kind. Its recipe is bench/paper/NAME.json. */
export interface PaperRow {
  readonly name: string;
  readonly experiment: string;
  /** What the paper reports, with what it needed. */
  readonly paper: string;
  /** Error that we aim at, in percent. */
  readonly target: number;
  /** Name of the figure among those of `goodness train --json` that is compared. */
  readonly figure: 'testError' | 'readoutError';
  /** Further figures of the same network, and what they are called in the table. */
  readonly beside: Readonly<Record<string, string>>;
  /** Options that make it a matter of half a minute. */
  readonly quick: readonly string[];
}

const SMALL = ['--samples', '10000', '--layers', '200-200', '--epochs', '10'] as const;

export const PAPER_ROWS: readonly PaperRow[] = [
  {
    name: 'unsupervised',
    experiment: 'unsupervised, hybrid negatives, softmax on the upper layers',
    paper: '1.37%, 4 x 2000, 100 epochs',
    target: 1.6,
    figure: 'testError',
    beside: {},
    quick: SMALL,
  },
  {
    name: 'label',
    experiment: 'label in the input, hard negatives',
    paper: '1.36%, 4 x 2000, 60 epochs',
    target: 1.5,
    figure: 'testError',
    beside: { 'read-out, one pass': 'readoutError' },
    quick: SMALL,
  },
  {
    name: 'jitter',
    experiment: 'label in the input, images jittered by up to two pixels',
    paper: '0.64%, 4 x 2000, 500 epochs',
    target: 0.9,
    figure: 'testError',
    beside: { 'read-out, one pass': 'readoutError' },
    quick: SMALL,
  },
];
