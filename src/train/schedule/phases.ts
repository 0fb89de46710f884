/**
 * When positive and negative data are learned.
 * - `interleaved`: both in every step.
 * - `separated`: `positive` steps on positive data, then `negative` steps on negative data, and so on.
 */
export type PhasesConfig = { readonly kind: 'interleaved' } | SeparatedPhases;

export interface SeparatedPhases {
  readonly kind: 'separated';
  /** Steps of a phase (>= 1). */
  readonly positive: number;
  readonly negative: number;
  /** Factors of the learning rate in each phase (>= 0). */
  readonly positiveRate: number;
  readonly negativeRate: number;
}

export type PartialPhases = PhasesConfig['kind'] | (Partial<SeparatedPhases> & { readonly kind: 'separated' });

/** The configuration with everything filled in. */
export function completePhases(
  partial: PartialPhases | { readonly kind: 'interleaved' } = 'interleaved',
): PhasesConfig {
  const kind = typeof partial === 'string' ? partial : partial.kind;
  if (kind === 'interleaved') return { kind };
  const given = typeof partial === 'string' ? {} : partial;
  return { positive: 1, negative: 1, positiveRate: 1, negativeRate: 1, ...given, kind };
}

/** What a step learns. */
export type Phase = 'both' | 'positive' | 'negative';

export function phaseAt(phases: PhasesConfig, step: number): Phase {
  if (phases.kind === 'interleaved') return 'both';
  return step % (phases.positive + phases.negative) < phases.positive ? 'positive' : 'negative';
}

/** Factor of the learning rate in a phase. */
export function phaseRate(phases: PhasesConfig, phase: Phase): number {
  if (phases.kind === 'interleaved' || phase === 'both') return 1;
  return phase === 'positive' ? phases.positiveRate : phases.negativeRate;
}
