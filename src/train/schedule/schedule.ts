/** How the learning rate goes from its highest value to 0. */
export interface Schedule {
  readonly decay: 'linear' | 'cosine' | 'constant';
  /** Share of all steps, 0 to 1, over which the rate first rises from 0. */
  readonly warmup: number;
  /** Share of all steps after which it begins to fall; right after the warm-up where left out (Hinton's code: 0.5). */
  readonly decayFrom?: number;
}

/**
 * Factor of the learning rate at a step.
 * @param step 0 to total - 1
 * @returns 0 to 1
 */
export function scheduleFactor(schedule: Schedule, step: number, total: number): number {
  const rise = schedule.warmup * total;
  if (step < rise) return (step + 1) / (Math.floor(rise) + 1);
  if (schedule.decay === 'constant') return 1;
  const start = Math.max(rise, (schedule.decayFrom ?? 0) * total);
  const done = Math.max(0, Math.min(1, (step - start) / Math.max(1, total - start)));
  return schedule.decay === 'linear' ? 1 - done : 0.5 * (1 + Math.cos(Math.PI * done));
}
