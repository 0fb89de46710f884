import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Line, openLine } from '../../src/device/bootloader/line.js';
import { avrBootloader, type SimavrBoard, startSimavr } from '../../src/device/emulated/simavr.js';
import { lacks, needs } from './support/avr.js';

/** Optiboot answers GET_SYNC with these two bytes. */
const GET_SYNC = Uint8Array.of(0x30, 0x20);
const IN_SYNC = Uint8Array.of(0x14, 0x10);

describe.skipIf(lacks.length > 0)(`a line to a board that answers${needs}`, () => {
  let board: SimavrBoard;
  let line: Line;

  beforeEach(async () => {
    board = await startSimavr({ mcu: 'atmega328p', bootloader: await avrBootloader('optiboot') });
    line = await openLine(board.address, { baud: 57600 });
    // Optiboot reads only when it has flashed its LED.
    await new Promise((resolve) => setTimeout(resolve, 450));
  }, 60_000);
  afterEach(async () => {
    await line.close();
    await board.close();
  });

  it('gives what came when more was asked for in vain, and counts the bytes of both ways', async () => {
    await line.write(GET_SYNC);
    await expect(line.read(3, 300)).rejects.toMatchObject({ code: 'bootloader.timeout', got: '2' });
    expect(await line.read(1, 300)).toEqual(IN_SYNC.subarray(0, 1));
    expect(await line.read(1, 300)).toEqual(IN_SYNC.subarray(1));
    expect(line.traffic).toEqual({ up: 2, down: 2 });
  });

  it('forgets what came when it is told to', async () => {
    await line.write(GET_SYNC);
    await expect(line.read(3, 300)).rejects.toMatchObject({ got: '2' });
    line.clear();
    await expect(line.read(1, 50)).rejects.toMatchObject({ code: 'bootloader.timeout', got: '0' });
  });

  it('is opened at the speed that is asked for', async () => {
    expect(await board.control('baud')).toBe('57600');
    await line.close();
    line = await openLine(board.address, { baud: 115200 });
    expect(await board.control('baud')).toBe('115200');
    expect(line.settings.baud).toBe(115200);
  });

  it('takes nothing more once it is closed, and may be closed twice', async () => {
    await line.close();
    await line.close();
    await expect(line.write(GET_SYNC)).rejects.toMatchObject({ code: 'port.gone' });
    await expect(line.read(1, 2000)).rejects.toMatchObject({ code: 'port.gone' });
    expect(await line.modem({ dtr: false })).toBe(false);
  });

  it('ends a wait at once when the board goes away', async () => {
    const waiting = expect(line.read(1, 20_000)).rejects.toMatchObject({ code: 'port.gone' });
    await board.close();
    await waiting;
  }, 10_000);
});

it('a line to a port that is not there is refused', async () => {
  await expect(openLine('/dev/ttyNoSuchPort', { baud: 115200 })).rejects.toMatchObject({ code: 'port.absent' });
});
