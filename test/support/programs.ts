import { spawnSync } from 'node:child_process';

/** Whether a program can be started on this machine: tests that need it say so and are skipped where it is missing. */
export function hasProgram(name: string, flag = '--version'): boolean {
  return spawnSync(name, [flag], { stdio: 'ignore' }).error === undefined;
}
