import { createServer, type Server } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { boardOf } from '../../src/device/boards/boards.js';
import { boardOfTarget, portForBoard, portThatAnswers, probe } from '../../src/device/boards/probe.js';
import type { Port } from '../../src/device/ports.js';
import { openTransport } from '../../src/device/resolve.js';
import { SimulatedBoard } from '../../src/device/simulated-board.js';
import { serveTcp, type TcpBoard } from '../../src/device/tcp-server.js';

/** Two boards that answer and one that doesn't, on TCP; ports with USB names stand for them. */
const boards: TcpBoard[] = [];
let deaf: Server;
const addresses = new Map<string, string>();

const USB0: Port = { path: '/dev/ttyUSB0', vendorId: '0403', productId: '6001' };
const USB1: Port = { path: '/dev/ttyUSB1', vendorId: '0403', productId: '6001' };
const ACM0: Port = { path: '/dev/ttyACM0', vendorId: '0d28', productId: '0204' };
const BUILT_IN: Port = { path: '/dev/ttyS0' };

const options = {
  openMs: 800,
  open: (path: string) => openTransport(addresses.get(path) ?? path),
};

beforeAll(async () => {
  for (const path of ['/dev/ttyUSB0', '/dev/ttyACM0']) {
    const board = await serveTcp(await SimulatedBoard.start(), 0);
    boards.push(board);
    addresses.set(path, board.address);
  }
  deaf = createServer((socket) => socket.resume());
  await new Promise<void>((resolve) => {
    deaf.listen(0, '127.0.0.1', resolve);
  });
  addresses.set('/dev/ttyUSB1', `tcp://127.0.0.1:${(deaf.address() as { port: number }).port}`);
});
afterAll(async () => {
  for (const board of boards) await board.close();
  deaf.close();
});

describe('a probe', () => {
  it('tells what answers, and lets the port go', async () => {
    for (let i = 0; i < 6; i++) {
      expect(await probe(USB0, options)).toMatchObject({ hello: { target: 'wasm', modelLoaded: false } });
    }
  });

  it('tells why nothing does', async () => {
    expect(await probe(USB1, options)).toMatchObject({ failure: { code: 'device.silent' } });
    expect(await probe({ path: '/dev/ttyNoSuchPort9' }, options)).toMatchObject({ failure: { code: 'port.absent' } });
  });
});

describe('the port of a board', () => {
  it('is the only one that answers', async () => {
    expect((await portThatAnswers([USB0, USB1, BUILT_IN], options)).port).toBe(USB0);
  });

  it('is not guessed between two that answer: both are listed', async () => {
    await expect(portThatAnswers([USB0, USB1, ACM0], options)).rejects.toMatchObject({
      code: 'port.ambiguous',
      got: '/dev/ttyUSB0 (wasm), /dev/ttyACM0 (wasm)',
    });
  });

  it('is none where nothing answers, and the silent ones are named', async () => {
    await expect(portThatAnswers([USB1], options)).rejects.toMatchObject({
      code: 'port.none',
      got: expect.stringContaining('/dev/ttyUSB1: no answer'),
    });
    await expect(portThatAnswers([], options)).rejects.toMatchObject({ code: 'port.none' });
  });

  it('is never looked for on what is built into the machine', async () => {
    const opened: string[] = [];
    const open = (path: string) => {
      opened.push(path);
      return options.open(path);
    };
    await expect(portThatAnswers([BUILT_IN, { path: '/dev/ttyAMA0' }], { ...options, open })).rejects.toMatchObject({
      code: 'port.none',
    });
    expect(opened).toEqual([]);
  });

  it('that is blank is found by its USB id', () => {
    expect(portForBoard(boardOf('microbit'), [USB0, ACM0, BUILT_IN])).toBe(ACM0);
    expect(portForBoard(boardOf('uno'), [USB0, ACM0])).toBe(USB0);
    expect(() => portForBoard(boardOf('uno'), [USB0, USB1])).toThrow(
      expect.objectContaining({ code: 'port.ambiguous', got: '/dev/ttyUSB0, /dev/ttyUSB1' }),
    );
    expect(() => portForBoard(boardOf('mega'), [ACM0])).toThrow(
      expect.objectContaining({ code: 'port.none', got: 'only /dev/ttyACM0' }),
    );
  });
});

describe('the name that firmware gives', () => {
  it('is that of a board, or of none', () => {
    expect(boardOfTarget('microbit')?.id).toBe('microbit');
    expect(boardOfTarget('linux')?.id).toBe('linux');
    expect(boardOfTarget('toaster')).toBeUndefined();
  });
});
