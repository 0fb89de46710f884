import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CHECKS } from '../../src/device/contract/checks.js';
import { type CheckReport, type ContractReport, runContract } from '../../src/device/contract/contract.js';
import { type Running, TARGETS } from './targets.js';

const MINUTE = 60_000;

/** The check, with its own words where it failed. */
function passed(check: CheckReport | undefined): void {
  expect(check?.first).toBeUndefined();
  expect(check).toMatchObject({ ok: true, differences: 0 });
  expect(check?.compared).toBeGreaterThan(0);
}

for (const entry of TARGETS) {
  const lacks = entry.lacks();
  const why = lacks.length === 0 ? '' : ` (SKIPPED: there is no ${lacks.join(', ')})`;
  if (lacks.length > 0) console.warn(`the contract of ${entry.id}${why}`);

  describe.skipIf(lacks.length > 0)(`${entry.id} keeps the contract${why}`, () => {
    let running: Running | undefined;
    let empty: ContractReport | undefined;
    let report: ContractReport;

    beforeAll(async () => {
      const model = await entry.model();
      running = await entry.start(model);
      const { target } = running;
      const comesEmpty = target.transfer === 'link' && target.savesTo === 'store';
      if (comesEmpty) empty = await runContract(target, model, { checks: ['handshake', 'bad frames'] });
      report = await runContract(target, model);
    }, 3 * MINUTE);
    afterAll(() => running?.stop());

    it('answers and refuses without a model, too, where it comes without one', () => {
      for (const check of empty?.checks ?? []) passed(check);
      expect(empty === undefined || empty.checks.some((check) => check.note?.includes('no model'))).toBe(true);
    });

    it.each(CHECKS.map(({ name }) => name))('%s: not one byte differs from the reference', (name) => {
      passed(report.checks.find((check) => check.name === name));
    });

    it('has tens of thousands of bytes compared', () => {
      expect(report.bytesCompared).toBeGreaterThan(20_000);
      expect(report).toMatchObject({ ok: true, bytesDifferent: 0 });
    });
  });
}
