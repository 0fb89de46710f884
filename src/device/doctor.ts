import { portFindings } from './doctor-ports.js';
import type { DoctorSystem } from './doctor-system.js';
import { installCommand, TOOLS } from './doctor-tools.js';
import { UDEV_FILE, UDEV_SOURCE } from './udev.js';

/** One thing that was looked at. */
export interface Finding {
  readonly name: string;
  /** `missing`: what needs it does not work; `warn`: it may come in the way. */
  readonly state: 'ok' | 'warn' | 'missing';
  readonly found: string;
  /** What it is for, where not everybody needs it. */
  readonly use?: string;
  /** Nothing works without it. */
  readonly needed?: boolean;
  /** What to do, to be pasted into a shell where it is a command; several lines are possible. */
  readonly fix?: string;
}

/** Oldest Node that runs this package: `engines` of package.json. */
const LEAST_NODE = 20;

/** Looks at everything that flashing, training and emulating need on a machine, and gives the exact fix of what is wrong. */
export async function examine(system: DoctorSystem): Promise<Finding[]> {
  return [
    node(system),
    await serial(system),
    await backend(system),
    ...(await portFindings(system)),
    ...(system.platform === 'linux' ? [udev(system), brltty(system), modemManager(system)] : []),
    ...tools(system),
  ];
}

function node({ nodeVersion }: DoctorSystem): Finding {
  const major = Number(/^v?(\d+)/.exec(nodeVersion)?.[1]);
  const name = 'Node';
  if (major >= LEAST_NODE) return { name, state: 'ok', needed: true, found: nodeVersion };
  return {
    name,
    state: 'missing',
    needed: true,
    found: `${nodeVersion}: too old`,
    fix: `Install Node ${LEAST_NODE} or later: https://nodejs.org`,
  };
}

async function serial(system: DoctorSystem): Promise<Finding> {
  const name = 'serialport';
  try {
    await system.loadSerial();
    return { name, state: 'ok', needed: true, found: 'its native part loads' };
  } catch (error) {
    return {
      name,
      state: 'missing',
      needed: true,
      found: firstLine(error),
      fix: 'npm rebuild serialport   # where no prebuilt one fits: needs python3, make and a C++ compiler',
    };
  }
}

async function backend(system: DoctorSystem): Promise<Finding> {
  const name = 'training';
  try {
    return { name, state: 'ok', needed: true, found: `backend ${await system.loadBackend()}` };
  } catch (error) {
    return { name, state: 'missing', needed: true, found: firstLine(error), fix: 'npm install' };
  }
}

function udev(system: DoctorSystem): Finding {
  if (system.hasProgram('udevadm')) return { name: 'udev', state: 'ok', found: 'there' };
  return {
    name: 'udev',
    state: 'warn',
    found: 'not there: ports are known by their names alone, and no USB id tells the board',
    fix: installCommand(
      { name: 'udev', use: '', apt: 'udev', dnf: 'systemd-udev' },
      system.platform,
      system.distribution,
    )!,
  };
}

/** Files of brltty that take USB converters for Braille displays, and thereby away from everybody else. */
const BRLTTY_RULES = ['85-brltty.rules', '90-brltty-usb-generic.rules'];

function brltty(system: DoctorSystem): Finding {
  const name = 'brltty';
  const rules = BRLTTY_RULES.filter(
    (file) =>
      ['/usr/lib/udev/rules.d', '/lib/udev/rules.d'].some((folder) => system.hasFile(`${folder}/${file}`)) &&
      !system.hasFile(`/etc/udev/rules.d/${file}`),
  );
  const runs = system.running().has('brltty');
  if (!runs && rules.length === 0) return { name, state: 'ok', found: 'not in the way' };
  const remove = installed(system, 'dnf') ? 'sudo dnf remove brltty' : 'sudo apt remove brltty';
  const silence = rules.map((file) => `sudo ln -s /dev/null /etc/udev/rules.d/${file}`).join(' && ');
  const keep = `sudo systemctl mask --now brltty-udev.service brltty.service${silence === '' ? '' : ` && ${silence}`}`;
  return {
    name,
    state: 'warn',
    found: `${runs ? 'runs' : 'is installed'}: it takes ports with CH340, CP210x and FTDI chips for Braille displays, and they vanish`,
    fix: `${remove}   # or, where the console needs it: ${keep} && sudo udevadm control --reload`,
  };
}

function modemManager(system: DoctorSystem): Finding {
  const name = 'ModemManager';
  const runs = system.running().has('ModemManager');
  if (!runs && !system.hasProgram('ModemManager')) return { name, state: 'ok', found: 'not there' };
  if (system.hasFile(UDEV_FILE))
    return { name, state: 'ok', found: `there, and told by ${UDEV_FILE} to leave boards alone` };
  return {
    name,
    state: runs ? 'warn' : 'ok',
    found: `${runs ? 'runs' : 'is installed'}: it may talk to a board for some seconds after it was plugged in`,
    fix: `sudo cp ${UDEV_SOURCE} ${UDEV_FILE} && sudo udevadm control --reload   # or, without a modem: sudo systemctl disable --now ModemManager`,
  };
}

function tools(system: DoctorSystem): Finding[] {
  const { platform, distribution } = system;
  return TOOLS.filter((tool) => tool.platforms?.includes(platform) ?? true).map((tool) => {
    const { name, use, program, file, module } = tool;
    const there =
      (program !== undefined && system.hasProgram(program)) ||
      (file !== undefined && system.hasFile(file)) ||
      (module !== undefined && system.hasModule(module));
    if (there) return { name, state: 'ok', use, found: program ?? file ?? module! };
    const fix = installCommand(tool, platform, distribution);
    return { name, state: 'missing', use, found: 'not there', ...(fix === undefined ? {} : { fix }) };
  });
}

function installed({ distribution }: DoctorSystem, manager: 'dnf'): boolean {
  return manager === 'dnf' && distribution.some((id) => id === 'fedora' || id === 'rhel');
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0]!;
}
