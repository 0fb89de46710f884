import { userInfo } from 'node:os';
import { defineCommand } from 'citty';
import { GoodnessError } from '../base/errors.js';
import { examine, type Finding } from '../device/doctor.js';
import { thisMachine } from '../device/doctor-system.js';
import { selectBackend } from '../train/backend.js';
import { COMMON } from './arguments.js';
import type { CliContext } from './context.js';
import type { Colors } from './output.js';

export default defineCommand({
  meta: {
    name: 'doctor',
    description:
      'Looks at this machine: what Goodness needs, who may use the ports, who else grabs them, and what it takes to build and to emulate boards; with the exact fix for each.',
  },
  args: COMMON,
  async run({ data }) {
    const { output, environment, platform } = data as CliContext;
    const findings = await examine(
      thisMachine({
        platform,
        nodeVersion: process.version,
        path: environment.PATH ?? '',
        user: userName(),
        groups: process.getgroups?.() ?? [],
        loadBackend: async () => (await selectBackend()).name,
      }),
    );
    const broken = findings.filter((finding) => finding.needed && finding.state !== 'ok');
    output.result({ ok: broken.length === 0, findings }, report(findings, output.colors));
    if (broken.length > 0) {
      throw new GoodnessError('check.doctor', `goodness can not work here: ${broken.map((f) => f.name).join(', ')}`, {
        fix: 'Do what stands behind each of them, then run `goodness doctor` again.',
      });
    }
  },
});

/** Containers may have users without a name. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return '';
  }
}

function report(findings: readonly Finding[], c: Colors): string {
  const marks = { ok: c.green('ok     '), warn: c.yellow('warn   '), missing: c.red('missing') };
  const width = Math.max(...findings.map((finding) => finding.name.length));
  return findings
    .flatMap(({ name, state, found, use, fix }) => {
      const text = `${marks[state]}  ${name.padEnd(width)}  ${found}${use === undefined || state === 'ok' ? '' : ` (for ${use})`}`;
      const steps = fix === undefined ? [] : fix.split('\n').map((line) => `${' '.repeat(11)}${line}`);
      return [text, ...steps];
    })
    .join('\n');
}
