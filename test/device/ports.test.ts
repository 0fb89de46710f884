import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { listPorts } from '../../src/device/ports.js';
import { openTransport } from '../../src/device/resolve.js';
import { openError } from '../../src/device/serial.js';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'goodness-ports-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('the list of ports', () => {
  it('is read from the device folder where udev is missing, without crashing', async () => {
    for (const name of ['ttyUSB10', 'ttyUSB2', 'ttyACM0', 'tty', 'tty3', 'null', 'ttyS0']) {
      writeFileSync(join(folder, name), '');
    }
    mkdirSync(join(folder, 'serial/by-id'), { recursive: true });
    symlinkSync('../../ttyACM0', join(folder, 'serial/by-id/usb-Arduino_Uno-if00'));
    const ports = await listPorts({ platform: 'linux', path: '/nowhere', devices: folder });
    expect(ports).toEqual([
      { path: join(folder, 'ttyACM0'), id: 'usb-Arduino_Uno-if00' },
      { path: join(folder, 'ttyS0') },
      { path: join(folder, 'ttyUSB2') },
      { path: join(folder, 'ttyUSB10') },
    ]);
  });

  it('is empty where there are none', async () => {
    expect(await listPorts({ platform: 'linux', path: '', devices: join(folder, 'nothing') })).toEqual([]);
  });

  it('can be had on this machine', async () => {
    const ports = await listPorts({ platform: process.platform, path: process.env.PATH ?? '', devices: '/dev' });
    expect(Array.isArray(ports)).toBe(true);
  });
});

describe('a port that does not open', () => {
  it('is absent where there is none of that name', async () => {
    await expect(openTransport('/dev/ttyNoSuchPort0')).rejects.toMatchObject({
      code: 'port.absent',
      fix: expect.stringContaining('goodness ports'),
    });
  });

  it('is absent where nobody listens at the TCP address', async () => {
    await expect(openTransport('tcp://127.0.0.1:9')).rejects.toMatchObject({ code: 'port.absent' });
  });

  it.each(['tcp://', 'tcp://host', 'tcp://host:0', 'tcp://host:70000', 'http://host:80', ' '])(
    'is a bad name: "%s"',
    async (name) => {
      await expect(openTransport(name)).rejects.toMatchObject({ code: 'port.name' });
    },
  );

  it.each([
    ['/dev/ttyUSB0', 'Error: Permission denied, cannot open /dev/ttyUSB0', 'port.permission'],
    ['/dev/ttyUSB0', 'Error Resource temporarily unavailable Cannot lock port', 'port.busy'],
    ['/dev/ttyUSB0', 'Error: No such file or directory, cannot open /dev/ttyUSB0', 'port.absent'],
    ['COM3', 'Opening COM3: Access denied', 'port.busy'],
    ['COM9', 'Opening COM9: File not found', 'port.absent'],
    ['/dev/cu.usbmodem1', 'Error: Resource busy, cannot open /dev/cu.usbmodem1', 'port.busy'],
    ['/dev/ttyS9', 'Error: Input/output error setting custom baud rate', 'port.open'],
  ])('%s: what the system says (%s) becomes %s', (path, text, code) => {
    expect(openError(path, new Error(text))).toMatchObject({ code, fix: expect.any(String) });
  });

  it('tells how to get the permission', () => {
    const { fix } = openError('/dev/ttyACM0', new Error('Error: Permission denied, cannot open /dev/ttyACM0'));
    expect(fix).toContain('dialout');
    expect(fix).toContain('udev');
  });
});
