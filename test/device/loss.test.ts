import { describe, expect, it } from 'vitest';
import { Random } from '../../src/base/random.js';
import { LossRate } from '../../src/device/loss.js';

const OVERHEAD = 12;

/** A rate that has seen `bytes` bytes in pieces of its own choice, each byte lost with this chance. */
function trained(bytes: number, chance: number, seed = 1): LossRate {
  const rate = new LossRate();
  const random = new Random(seed);
  for (let sent = 0; sent < bytes; ) {
    const frame = Math.floor(rate.sequence(OVERHEAD, 1016, 4).piece) + OVERHEAD;
    if (random.uniform() < 1 - (1 - chance) ** frame) rate.wasLost(frame);
    else rate.came(frame);
    sent += frame;
  }
  return rate;
}

describe('the estimate of a line’s losses', () => {
  it.each([1e-3, 1e-2])('comes near a chance of %f per byte, whatever the seed', (chance) => {
    for (let seed = 1; seed <= 5; seed++) {
      const { perByte } = trained(60_000, chance, seed);
      expect(perByte, `seed ${seed}`).toBeGreaterThan(chance / 2);
      expect(perByte, `seed ${seed}`).toBeLessThan(chance * 2);
    }
  });

  it('makes pieces short on a bad line and long on a good one', () => {
    const pieces = [0, 1e-3, 1e-2].map((chance) => trained(60_000, chance).sequence(OVERHEAD, 1016, 4).piece);
    expect(pieces[0]).toBeGreaterThan(400);
    expect(pieces[1]).toBeGreaterThan(50);
    expect(pieces[1]).toBeLessThan(120);
    expect(pieces[2]).toBeLessThan(40);
  });

  it('trusts a line again that got better', () => {
    const rate = trained(60_000, 1e-2);
    const bad = rate.sequence(OVERHEAD, 1016, 4).piece;
    for (let n = 0; n < 4000; n++) rate.came(40);
    expect(rate.sequence(OVERHEAD, 1016, 4).piece).toBeGreaterThan(5 * bad);
  });

  it('keeps no more under way than can be put up with to lose, but two where the device allows it', () => {
    const bad = trained(60_000, 1e-2);
    expect(bad.sequence(OVERHEAD, 1016, 16).width).toBe(2);
    expect(bad.sequence(OVERHEAD, 1016, 1).width).toBe(1);
    expect(trained(60_000, 0).sequence(OVERHEAD, 1016, 4).width).toBe(4);
  });

  it('never asks for more than the device takes', () => {
    expect(trained(1_000_000, 0).sequence(OVERHEAD, 56, 4).piece).toBe(56);
    expect(trained(1_000_000, 0).piece(OVERHEAD, 63)).toBe(63);
  });
});
