/** A row of the paper's table: an experiment of Hinton 2022 and our training of the same kind. Its recipe is bench/paper/NAME.json. */
export interface PaperRow {
  readonly name: string;
  readonly experiment: string;
  /** What the paper reports, with what it needed. */
  readonly paper: string;
  /** Error that we aim at, in percent. */
  readonly target?: number;
  /** Name of the figure among those of `goodness train --json` that is compared. */
  readonly figure: 'testError' | 'readoutError';
  /** Further figures of the same network, and what they are called in the table. */
  readonly beside: Readonly<Record<string, string>>;
  /** Options that make it a matter of half a minute. */
  readonly quick: readonly string[];
}

const QUICK = ['--samples', '10000', '--epochs', '10'] as const;
const SMALL = [...QUICK, '--layers', '200-200'] as const;

/** The paper has a figure without numbers here. */
const SEQUENCES = {
  teacher: ['teacher-forced negatives', 'far better than random'],
  dream: ['negatives that the network makes up', 'about as good as teacher-forced'],
  random: ['hidden layers that never learn', 'far worse'],
} as const;

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
    name: 'local',
    experiment: 'the same with local receptive fields and peer normalisation',
    paper: '1.16%, 2048-1980-2048, 60 epochs',
    target: 1.5,
    figure: 'testError',
    beside: {},
    quick: [...QUICK, '--layers', '256-252-256'],
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
  {
    name: 'recurrent',
    experiment: 'recurrent with top-down connections, 8 iterations, of which 3 to 5 are scored',
    paper: '1.31%, 2 or 3 x 2000, 60 epochs',
    target: 1.6,
    figure: 'testError',
    beside: { 'read-out of the first pass': 'readoutError' },
    quick: ['--samples', '4000', '--epochs', '8', '--layers', '100-100'],
  },
  ...(['teacher', 'dream', 'random'] as const).map((kind): PaperRow => {
    const [experiment, paper] = SEQUENCES[kind];
    return {
      name: `fables-${kind}`,
      experiment: `next character of a text: ${experiment}`,
      paper,
      figure: 'testError',
      beside: {},
      quick: ['--epochs', '4', '--layers', '60-60-60'],
    };
  }),
];
