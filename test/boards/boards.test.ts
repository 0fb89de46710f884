import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { BOARD_IDS, NOT_ON_HARDWARE } from '../../src/device/boards/board.js';
import { BOARDS, boardOf, boardsOnPort } from '../../src/device/boards/boards.js';
import { linkBytes } from '../../src/device/boards/footprint.js';
import { udevRules } from '../../src/device/udev.js';

const named = BOARDS.map((board) => [board.id, board] as const);

describe('the boards', () => {
  it('are all there, once, in the order of their names', () => {
    expect(BOARDS.map((board) => board.id)).toEqual([...BOARD_IDS]);
  });

  it('are found by name, and a wrong name lists them', () => {
    expect(boardOf('microbit').name).toContain('micro:bit');
    expect(() => boardOf('microbot')).toThrow(
      expect.objectContaining({ code: 'board.unknown', expected: expect.stringContaining('microbit') }),
    );
  });

  it.each(named)('%s: its regions lie within their memory and do not overlap', (_, board) => {
    for (const memory of ['flash', 'eeprom'] as const) {
      const regions = board.regions.filter((region) => region.memory === memory);
      const most = memory === 'flash' ? board.flashBytes : board.eepromBytes;
      let end = regions[0]?.address ?? 0;
      const start = end;
      for (const { address, bytes } of regions) {
        expect(address).toBeGreaterThanOrEqual(end);
        end = address + bytes;
      }
      if (regions.length > 0) expect(end - start).toBeLessThanOrEqual(most!);
    }
  });

  it.each(named)('%s: arena, link, stack and the rest fit its RAM', async (_, board) => {
    if (board.budget === undefined || board.ramBytes === undefined) return;
    const { arenaBytes, stackBytes, fixedBytes, links } = board.budget;
    const all = arenaBytes + links * (await linkBytes(board.budget)) + stackBytes + fixedBytes;
    expect(all).toBeLessThanOrEqual(board.ramBytes);
  });

  it.each(named)('%s: its stores are as large as the regions that they lie in', (_, board) => {
    const store = board.budget?.store;
    if (store === undefined || board.regions.length === 0) return;
    const models = board.regions.filter((region) => region.use === 'model').map((region) => region.bytes);
    const saved = board.regions.filter((region) => region.use === 'saved').map((region) => region.bytes);
    if (store.kind === 'slots') expect([models, saved]).toEqual([[store.slotBytes, store.slotBytes], []]);
    else expect([models, saved]).toEqual([[store.imageBytes], [store.slotBytes, store.slotBytes]]);
  });

  it.each(named)('%s: a bootloader at the end of the flash has the section that its data say', (_, board) => {
    const { bootloader } = board;
    if (bootloader?.protocol !== 'stk500v1' && bootloader?.protocol !== 'stk500v2') return;
    const section = board.regions.find((region) => region.use === 'bootloader')!;
    expect(section).toMatchObject({
      address: bootloader.flashBytes - bootloader.bootBytes,
      bytes: bootloader.bootBytes,
    });
    for (const { address, memory } of board.regions) {
      if (memory === 'flash') expect(address % bootloader.pageBytes).toBe(0);
    }
  });

  it('do not claim what was not tried: those that can be touched are not verified on hardware', () => {
    for (const board of BOARDS) {
      if (board.id === 'linux' || board.id === 'wasm') continue;
      expect(board.verified, board.id).toContain(NOT_ON_HARDWARE);
      expect(board.datasheets.length, board.id).toBeGreaterThan(0);
    }
  });

  it('own USB ids that no other board has', () => {
    const owners = new Map<string, string>();
    for (const board of BOARDS) {
      for (const { vendor, product, own } of board.usb) {
        const key = `${vendor}:${product}`;
        expect(key).toMatch(/^[0-9a-f]{4}:[0-9a-f]{4}$/);
        const other = BOARDS.filter((b) => b !== board && b.usb.some((u) => `${u.vendor}:${u.product}` === key));
        if (own) expect(other, key).toEqual([]);
        owners.set(key, board.id);
      }
    }
    expect(owners.size).toBeGreaterThan(20);
  });
});

describe('a USB id', () => {
  const ids = (vendorId: string, productId: string): string[] =>
    boardsOnPort({ vendorId, productId }).map((match) => match.board.id);

  it.each([
    ['2341', '0043', ['uno']],
    ['2341', '0042', ['mega']],
    ['0D28', '0204', ['microbit']],
    ['2e8a', '0003', ['pico']],
    ['1a86', '7523', ['stm32f405', 'pico', 'uno', 'mega', 'esp32']],
    ['10c4', 'ea60', ['stm32f405', 'pico', 'uno', 'mega', 'esp32']],
    ['ffff', 'ffff', []],
  ])('%s:%s may be %j', (vendor, product, expected) => {
    expect(ids(vendor, product)).toEqual(expected);
  });

  it('that is missing says nothing', () => {
    expect(boardsOnPort({})).toEqual([]);
  });
});

describe('the rules for udev', () => {
  it('in firmware/60-goodness.rules are those of the data', () => {
    const file = fileURLToPath(new URL('../../firmware/60-goodness.rules', import.meta.url));
    expect(readFileSync(file, 'utf8')).toBe(udevRules());
  });

  it('name each id once', () => {
    const ids = [...udevRules().matchAll(/idVendor\}=="(\w+)", ATTRS\{idProduct\}=="(\w+)"/g)].map(
      (m) => `${m[1]}:${m[2]}`,
    );
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids).toContain('0d28:0204');
  });
});
