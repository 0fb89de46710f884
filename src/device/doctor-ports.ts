import type { Finding } from './doctor.js';
import type { DoctorSystem } from './doctor-system.js';
import { isPluggable, type Port } from './ports.js';
import { UDEV_FILE, udevRules } from './udev.js';

/** Port files that belong to root alone or to the console: no group opens them. */
const NO_HELP = new Set(['root', 'tty', '0']);

/** Whether each port may be used, and by what it can be brought about. */
export async function portFindings(system: DoctorSystem): Promise<Finding[]> {
  let ports: Port[];
  try {
    ports = await system.ports();
  } catch (error) {
    return [{ name: 'ports', state: 'missing', found: `no list: ${(error as Error).message}` }];
  }
  // A port that is there whether anything is connected or not says nothing about boards.
  const plugged = ports.filter(isPluggable);
  if (plugged.length === 0) {
    return [
      {
        name: 'ports',
        state: 'ok',
        found: 'no board is plugged in',
        fix: 'One that is, and does not appear, hangs on a cable without data lines, or lacks its driver.',
      },
    ];
  }
  return plugged.map((port) => rights(port, system));
}

function rights(port: Port, system: DoctorSystem): Finding {
  const name = `port ${port.path}`;
  if (system.platform !== 'linux') return { name, state: 'ok', found: 'there' };
  const { usable, group } = system.portRights(port.path);
  if (usable) return { name, state: 'ok', found: 'may be read and written' };
  const found = `you may not open it${group === undefined ? '' : `: it belongs to the group ${group}`}`;
  if (group !== undefined && system.groupsOfUser().includes(group) && !system.groups().includes(group)) {
    return {
      name,
      state: 'warn',
      found,
      fix: `You are in ${group}, but not yet in this session: log out and in again.`,
    };
  }
  const joinGroup =
    group === undefined || NO_HELP.has(group) ? [] : [`sudo usermod -aG ${group} "$USER"   # and log in again`];
  return { name, state: 'missing', found, fix: [...joinGroup, ...ruleSteps()].join('\n') };
}

/** How to install the rules: lines for a shell. */
export function ruleSteps(): string[] {
  return [
    `or for the boards of Goodness alone, as ${UDEV_FILE}:`,
    `sudo tee ${UDEV_FILE} > /dev/null <<'END'`,
    ...udevRules().trimEnd().split('\n'),
    'END',
    'sudo udevadm control --reload && sudo udevadm trigger --subsystem-match=tty   # and plug the board in again',
  ];
}
