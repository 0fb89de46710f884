import { describe, expect, it } from 'vitest';
import { goodness, json } from './support/run.js';

describe('goodness doctor', () => {
  it('examines this machine, in words and as data', { timeout: 60_000 }, async () => {
    const words = await goodness(['doctor']);
    expect(words.code).toBe(0);
    expect(words.out).toMatch(/^ok {7}Node +v\d+/m);
    expect(words.out).toMatch(/^ok {7}training +backend simd$/m);
    const { ok, findings } = json(await goodness(['doctor', '--json'])) as { ok: boolean; findings: object[] };
    expect(ok).toBe(true);
    expect(findings).toContainEqual(expect.objectContaining({ name: 'serialport', state: 'ok', needed: true }));
  });

  it('does not crash where no program is found', { timeout: 60_000 }, async () => {
    const said = await goodness(['doctor', '--json'], { environment: { PATH: '/nowhere' } });
    expect(said.code).toBe(0);
    const { findings } = json(said) as { findings: { name: string; state: string; fix?: string }[] };
    const compiler = findings.find((finding) => finding.name === 'AVR compiler');
    expect(compiler).toMatchObject({ state: 'missing', fix: expect.stringMatching(/avr/) });
  });
});
