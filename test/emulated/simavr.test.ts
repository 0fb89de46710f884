import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { formatHex } from '../../src/device/bootloader/hex.js';
import { type Line, openLine } from '../../src/device/bootloader/line.js';
import { touch1200 } from '../../src/device/bootloader/touch.js';
import { avrBootloader, type SimavrBoard, type SimavrOptions, startSimavr } from '../../src/device/emulated/simavr.js';
import { hasProgram } from '../support/programs.js';

const lacks = [
  ...['make', 'cc', 'avr-gcc', 'avr-objcopy'].filter((name) => !hasProgram(name)),
  ...(existsSync('/usr/include/simavr/sim_avr.h') ? [] : ['libsimavr-dev']),
  ...(existsSync('/usr/share/arduino/hardware/arduino/avr') ? [] : ['arduino-core-avr']),
];
const needs = lacks.length === 0 ? '' : ` (SKIPPED: there is no ${lacks.join(', no ')})`;
if (lacks.length > 0) console.warn(`Arduino boards in simavr${needs}`);

const MINUTE = 60_000;
const RAM = 0x200;

/** Counts in RAM how often it was started; RAM outlives a reset, but not a power cut. */
const COUNTS_STARTS = `lds r24, ${RAM}
  inc r24
  sts ${RAM}, r24
  1: rjmp 1b`;
/** Writes the bytes 0, 1, 2, ... 255 to the start of the EEPROM, each when the one before is done. */
const FILLS_EEPROM = `ldi r24, 0
  1: sbic _SFR_IO_ADDR(EECR), EEPE
  rjmp 1b
  out _SFR_IO_ADDR(EEARL), r24
  out _SFR_IO_ADDR(EEARH), r1
  out _SFR_IO_ADDR(EEDR), r24
  sbi _SFR_IO_ADDR(EECR), EEMPE
  sbi _SFR_IO_ADDR(EECR), EEPE
  inc r24
  brne 1b
  2: rjmp 2b`;
/** Copies conversions of analog input 0, against AVCC, to RAM, low byte first. */
const READS_ADC = `ldi r24, 0x40
  sts ADMUX, r24
  1: ldi r24, 0xc7
  sts ADCSRA, r24
  2: lds r24, ADCSRA
  sbrc r24, ADSC
  rjmp 2b
  lds r24, ADCL
  lds r25, ADCH
  sts ${RAM}, r24
  sts ${RAM + 1}, r25
  rjmp 1b`;
/** Sends back what comes in on UART 0 at 115200 bits per second. */
const ECHOES = `ldi r24, 2
  sts UCSR0A, r24
  ldi r24, 16
  sts UBRR0L, r24
  ldi r24, 0x18
  sts UCSR0B, r24
  1: lds r24, UCSR0A
  sbrs r24, RXC0
  rjmp 1b
  lds r25, UDR0
  2: lds r24, UCSR0A
  sbrs r24, UDRE0
  rjmp 2b
  sts UDR0, r25
  rjmp 1b`;
/** Drives pins 0 and 2 of port B, the latter high, and calls itself 40 deep: 80 bytes of stack on a chip of 16-bit addresses. */
const CALLS = `ldi r24, 5
  out _SFR_IO_ADDR(DDRB), r24
  ldi r24, 4
  out _SFR_IO_ADDR(PORTB), r24
  ldi r24, 40
  1: rcall 2f
  3: rjmp 3b
  2: dec r24
  brne 1b
  rjmp 3b`;

describe.skipIf(lacks.length > 0)(`an Arduino board in simavr${needs}`, () => {
  let board: SimavrBoard | undefined;
  let line: Line | undefined;
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'goodness-simavr-'));
  });
  afterEach(async () => {
    await line?.close();
    await board?.close();
    line = board = undefined;
    rmSync(folder, { recursive: true, force: true });
  });

  /** A board that runs a program in assembler, without a bootloader unless the options name one. */
  const run = async (program: string, options: Partial<SimavrOptions> = {}): Promise<SimavrBoard> => {
    const mcu = options.mcu ?? 'atmega328p';
    const [source, elf, hex] = ['a.S', 'a.elf', 'a.hex'].map((name) => join(folder, name)) as [string, string, string];
    writeFileSync(source, `#include <avr/io.h>\n  clr r1\n  ${program}\n`);
    execFileSync('avr-gcc', [`-mmcu=${mcu}`, '-nostdlib', '-nostartfiles', '-o', elf, source], { stdio: 'pipe' });
    execFileSync('avr-objcopy', ['-O', 'ihex', elf, hex], { stdio: 'pipe' });
    board = await startSimavr({ mcu, flash: [hex], ...options });
    return board;
  };
  const bytes = async (memory: string, from: number, count: number): Promise<number[]> => [
    ...Buffer.from(await board!.control(`dump ${memory} ${from} ${count}`), 'hex'),
  ];
  /** Asks until the answer is the right one, or reports the last one after all. */
  const becomes = async <T>(look: () => Promise<T>, wanted: (value: T) => boolean): Promise<T> => {
    let value = await look();
    for (let i = 0; i < 200 && !wanted(value); i++) {
      await sleep(10);
      value = await look();
    }
    return value;
  };

  it(
    'starts once more whenever somebody opens its port',
    async () => {
      await run(COUNTS_STARTS);
      const starts = async (): Promise<number> => (await bytes('ram', RAM, 1))[0]!;
      const first = await becomes(starts, (n) => n > 0);
      for (let n = 1; n <= 20; n++) {
        line = await openLine(board!.address, { baud: 115200 });
        expect(await becomes(starts, (count) => count === first + n)).toBe(first + n);
        await line.close();
      }
    },
    MINUTE,
  );

  it('keeps its RAM over a reset, and loses it to a power cut', async () => {
    await run(COUNTS_STARTS);
    const before = await bytes('ram', RAM + 1, 1000);
    await board!.reset();
    expect(await bytes('ram', RAM + 1, 1000)).toEqual(before);
    await board!.control('power-cut');
    expect(await bytes('ram', RAM + 1, 1000)).not.toEqual(before);
  });

  it(
    'has an EEPROM whose file is whole whenever the emulator is killed, and which the next start finds',
    async () => {
      const eeprom = join(folder, 'eeprom');
      let furthest = 0;
      for (let n = 0; n < 8; n++) {
        rmSync(eeprom, { force: true });
        await run(FILLS_EEPROM, { eeprom });
        await sleep(20 + 60 * n);
        await board!.close();
        const file = [...readFileSync(eeprom)];
        expect(file).toHaveLength(1024);
        const done = file.findIndex((byte, i) => byte !== (i & 255));
        expect(file.slice(done).every((byte) => byte === 0xff)).toBe(true);
        furthest = Math.max(furthest, done);
        board = await startSimavr({ mcu: 'atmega328p', eeprom });
        expect(await bytes('eeprom', 0, 1024)).toEqual(file);
        await board.close();
      }
      expect(furthest).toBeGreaterThan(0);
    },
    MINUTE,
  );

  it('converts the voltage that it is told, also when a wave changes it', async () => {
    await run(READS_ADC);
    const reading = async (): Promise<number> => {
      const [low, high] = await bytes('ram', RAM, 2);
      return low! | (high! << 8);
    };
    const near = (value: number) => (got: number) => Math.abs(got - value) <= 1;
    for (const [millivolts, value] of [
      [0, 0],
      [2500, 511],
      [4990, 1021],
    ] as const) {
      await board!.control(`adc 0 ${millivolts}`);
      expect(await becomes(reading, near(value))).toSatisfy(near(value));
    }
    await board!.control('wave 0 20000 1000 4000');
    for (const value of [204, 818, 204]) expect(await becomes(reading, near(value))).toSatisfy(near(value));
  });

  it.each([
    ['atmega328p', 32],
    ['atmega2560', 32],
  ] as const)('sends %s 20 KB at 115200 bits per second and gets every byte back', async (mcu, pieces) => {
    await run(ECHOES, { mcu });
    line = await openLine(board!.address, { baud: 115200 });
    // The port's opening resets it.
    await sleep(100);
    for (let n = 0; n < pieces; n++) {
      const piece = Uint8Array.from({ length: 640 }, (_, i) => (i * 7 + n) & 255);
      await line.write(piece);
      expect(await line.read(piece.length, 5000)).toEqual(piece);
    }
  });

  it('shows its pins, and how deep the stack went in RAM that was filled before', async () => {
    await run(CALLS, { fill: true });
    await board!.reset();
    expect(
      await becomes(
        () => board!.control('pins B'),
        (text) => text === '4 5 4',
      ),
    ).toBe('4 5 4');
    const [untouched, from, to] = (await board!.control('stack')).split(' ').map(Number);
    expect([from, to]).toEqual([0x100, 0x900 - 80]);
    expect(untouched).toBe(0x800 - 80);
    await expect(board!.control('pins Z')).rejects.toMatchObject({ code: 'emulator.command' });
  });

  it('shows the touch at 1200 bits per second', async () => {
    await run(COUNTS_STARTS);
    line = await openLine(board!.address, { baud: 57600 });
    expect(await board!.control('baud')).toBe('57600');
    await line.close();
    await touch1200(board!.address);
    expect(await board!.control('baud')).toBe('1200');
  });

  it.each([
    ['atmega328p', 'optiboot'],
    ['atmega328p', 'atmegaboot'],
    ['atmega2560', 'stk500v2'],
  ] as const)(
    'with an %s runs its program when %s has waited long enough',
    async (mcu, bootloader) => {
      await run(COUNTS_STARTS, { mcu, bootloader: await avrBootloader(bootloader) });
      const starts = async (): Promise<number> => (await bytes('ram', RAM, 1))[0]!;
      const before = await starts();
      for (let i = 0; i < 60 && (await starts()) === before; i++) await sleep(100);
      expect(await starts()).toBe((before + 1) & 255);
    },
    20_000,
  );

  it('refuses a program beyond the end of flash, an EEPROM of another size, and commands that it does not know', async () => {
    const flash = join(folder, 'beyond.hex');
    writeFileSync(flash, formatHex({ segments: [{ address: 0x7fff, bytes: Uint8Array.of(1, 2) }] }));
    await expect(startSimavr({ mcu: 'atmega328p', flash: [flash] })).rejects.toMatchObject({
      code: 'emulator.start',
      got: expect.stringContaining('beyond the flash'),
    });
    const eeprom = join(folder, 'eeprom');
    writeFileSync(eeprom, new Uint8Array(4096));
    await expect(startSimavr({ mcu: 'atmega328p', eeprom })).rejects.toMatchObject({
      code: 'emulator.start',
      got: expect.stringContaining('no EEPROM of 1024 bytes'),
    });
    await run(COUNTS_STARTS);
    await expect(board!.control('dance')).rejects.toMatchObject({ code: 'emulator.command' });
    await expect(board!.control('dump flash 32768 1')).rejects.toMatchObject({ code: 'emulator.command' });
    const { ended } = board!;
    await board!.control('quit').catch(() => {});
    expect(await ended).toMatch(/exit code 0/);
  });
});
