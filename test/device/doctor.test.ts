import { describe, expect, it } from 'vitest';
import { examine, type Finding } from '../../src/device/doctor.js';
import { type DoctorSystem, thisMachine } from '../../src/device/doctor-system.js';
import { installCommand, TOOLS } from '../../src/device/doctor-tools.js';

/** A Debian machine on which all is well, with one board plugged in; tests break it. */
function system(changes: Partial<DoctorSystem> = {}): DoctorSystem {
  return {
    platform: 'linux',
    path: '/usr/bin',
    devices: '/dev',
    nodeVersion: 'v20.20.0',
    distribution: ['debian'],
    loadSerial: async () => {},
    loadBackend: async () => 'wasm',
    ports: async () => [{ path: '/dev/ttyACM0', vendorId: '2341', productId: '0043' }],
    portRights: () => ({ usable: true, group: 'dialout' }),
    groups: () => ['users', 'dialout'],
    groupsOfUser: () => ['users', 'dialout'],
    hasFile: (path) => path.startsWith('/usr/include'),
    hasProgram: (name) => name !== 'ModemManager',
    hasModule: () => true,
    running: () => new Set(['systemd', 'bash']),
    ...changes,
  };
}

async function finding(name: string, changes: Partial<DoctorSystem> = {}): Promise<Finding> {
  const found = (await examine(system(changes))).find((f) => f.name === name);
  if (found === undefined) throw new Error(`nothing was said of ${name}`);
  return found;
}

describe('the doctor', () => {
  it('finds nothing wrong where nothing is', async () => {
    const findings = await examine(system());
    expect(findings.filter((f) => f.state !== 'ok')).toEqual([]);
    expect(findings.length).toBeGreaterThan(15);
  });

  it('never says that something is wrong without saying what to do', async () => {
    const bare = system({
      nodeVersion: 'v18.0.0',
      loadSerial: () => Promise.reject(new Error('no native build was found\nfor this machine')),
      loadBackend: () => Promise.reject(new Error('no')),
      portRights: () => ({ usable: false, group: 'dialout' }),
      groups: () => [],
      groupsOfUser: () => [],
      hasFile: (path) => path.endsWith('brltty.rules'),
      hasProgram: (name) => name === 'ModemManager',
      hasModule: () => false,
      running: () => new Set(['brltty', 'ModemManager']),
    });
    const findings = await examine(bare);
    expect(findings.map((f) => f.state)).not.toContain('ok');
    for (const { name, fix } of findings) expect(fix, name).toMatch(/\S/);
  });

  it('knows what nothing works without', async () => {
    expect(await finding('Node', { nodeVersion: 'v18.19.1' })).toMatchObject({ state: 'missing', needed: true });
    const broken = await finding('serialport', { loadSerial: () => Promise.reject(new Error('bad ELF\nmore')) });
    expect(broken).toMatchObject({ state: 'missing', needed: true, found: 'bad ELF' });
  });

  it('gives the group and the rules to who may not open a port', async () => {
    const port = await finding('port /dev/ttyACM0', {
      portRights: () => ({ usable: false, group: 'dialout' }),
      groups: () => ['users'],
      groupsOfUser: () => ['users'],
    });
    expect(port.state).toBe('missing');
    expect(port.fix).toContain('sudo usermod -aG dialout "$USER"');
    expect(port.fix).toContain('/etc/udev/rules.d/60-goodness.rules');
    expect(port.fix).toContain('ATTRS{idVendor}=="2341", ATTRS{idProduct}=="0043", TAG+="uaccess"');
  });

  it('names the group of the system at hand, and no group where only root has the port', async () => {
    const fix = async (group: string): Promise<string> =>
      (
        await finding('port /dev/ttyACM0', {
          portRights: () => ({ usable: false, group }),
          groups: () => [],
          groupsOfUser: () => [],
        })
      ).fix!;
    expect(await fix('uucp')).toContain('usermod -aG uucp');
    expect(await fix('root')).not.toContain('usermod');
    expect(await fix('root')).toContain('60-goodness.rules');
  });

  it('sends somebody who joined the group just now to log in again', async () => {
    const port = await finding('port /dev/ttyACM0', {
      portRights: () => ({ usable: false, group: 'dialout' }),
      groups: () => ['users'],
    });
    expect(port).toMatchObject({ state: 'warn', fix: expect.stringContaining('log out and in') });
  });

  it('warns of brltty, running or waiting in a rule, and not once the rule is masked', async () => {
    const rule = '/usr/lib/udev/rules.d/85-brltty.rules';
    const mask = '/etc/udev/rules.d/85-brltty.rules';
    const running = await finding('brltty', { running: () => new Set(['brltty']) });
    expect(running).toMatchObject({ state: 'warn', fix: expect.stringContaining('sudo apt remove brltty') });
    const waiting = await finding('brltty', { hasFile: (path) => path === rule });
    expect(waiting.fix).toContain(`sudo ln -s /dev/null ${mask}`);
    expect(await finding('brltty', { hasFile: (path) => path === rule || path === mask })).toMatchObject({
      state: 'ok',
    });
  });

  it('warns of a ModemManager that runs, until the rules are there', async () => {
    const runs = { running: () => new Set(['ModemManager']), hasProgram: () => true };
    expect(await finding('ModemManager', runs)).toMatchObject({
      state: 'warn',
      fix: expect.stringMatching(/^sudo cp \S+firmware\/60-goodness\.rules/),
    });
    const told = { ...runs, hasFile: (path: string) => path === '/etc/udev/rules.d/60-goodness.rules' };
    expect(await finding('ModemManager', told)).toMatchObject({ state: 'ok' });
  });

  it('goes on where ports can not be listed', async () => {
    const findings = await examine(system({ ports: () => Promise.reject(new Error('spawn udevadm ENOENT')) }));
    expect(findings.find((f) => f.name === 'ports')).toMatchObject({ state: 'missing' });
    expect(findings.length).toBeGreaterThan(15);
  });

  it('says nothing of udev, brltty and ModemManager where there is no Linux', async () => {
    for (const platform of ['darwin', 'win32']) {
      const names = (await examine(system({ platform }))).map((f) => f.name);
      for (const name of ['udev', 'brltty', 'ModemManager']) expect(names).not.toContain(name);
    }
  });

  it('knows how each system installs a compiler', async () => {
    const avr = TOOLS.find((tool) => tool.program === 'avr-gcc')!;
    expect(installCommand(avr, 'linux', ['ubuntu', 'debian'])).toBe('sudo apt install gcc-avr binutils-avr avr-libc');
    expect(installCommand(avr, 'linux', ['fedora'])).toMatch(/^sudo dnf install avr-gcc/);
    expect(installCommand(avr, 'darwin', [])).toMatch(/^brew install /);
    expect(installCommand(avr, 'win32', [])).toMatch(/^winget install /);
  });

  it('examines this machine, with or without udev, and does not crash', async () => {
    for (const path of [process.env.PATH ?? '', '/nowhere']) {
      const findings = await examine(
        thisMachine({
          platform: process.platform,
          nodeVersion: process.version,
          path,
          user: 'nobody',
          groups: process.getgroups?.() ?? [],
          loadBackend: async () => 'wasm',
        }),
      );
      expect(findings.find((f) => f.name === 'Node')).toMatchObject({ state: 'ok' });
      expect(findings.find((f) => f.name === 'serialport')).toMatchObject({ state: 'ok' });
    }
  });
});
