/**
 * Power cuts: `npm run bench:powercut -- [--only core,boot,transfer,save,update] [--json] [--quick]`. The power goes at operations on flash of
 * a save, a model transfer and a firmware update; then the board must start, with the old model or the new one and the old firmware or the
 * new one, byte for byte.
 *
 * `core` and `boot` run the firmware's own logic on this machine, cut before, within and behind every operation, and cut the recovery, too.
 * The others run the image of the micro:bit in QEMU, stopped by its debugger port at the instruction that writes flash or erases a page: RAM
 * is filled with random bytes and the machine reset. A quicker way to the same is to place the flash of that moment in a board that starts;
 * that one can be torn as well: a word with some bits still set, a page with some still clear. Wherever the processor was stopped, its flash
 * is compared with what would have been placed, byte for byte. --quick tries fewer cuts in QEMU: about a minute in all.
 */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { encodeImage, Random } from 'goodness';
import { library } from './library.js';
import { benchOptions } from './options.js';
import { randomModel } from './random-model.js';

type Powercut = typeof import('../dist/device/emulated/powercut.js');
type PowercutBoard = typeof import('../dist/device/emulated/powercut-board.js');
type PowercutFlash = typeof import('../dist/device/emulated/powercut-flash.js');
type Microbit = typeof import('../dist/device/emulated/microbit.js');
type Steps = Parameters<Powercut['cutPower']>[3];
type Work = Parameters<Powercut['cutPower']>[1];

const { cutPower } = await library<Powercut>('device/emulated/powercut');
const { PowerCutBoard } = await library<PowercutBoard>('device/emulated/powercut-board');
const { FLASH_AT, FLASH_BYTES } = await library<PowercutFlash>('device/emulated/powercut-flash');
const { composeMicrobit, wrapMicrobit } = await library<Microbit>('device/emulated/microbit');

const ROWS = ['core', 'boot', 'transfer', 'save', 'update'] as const;
type RowName = (typeof ROWS)[number];

interface Row {
  readonly name: RowName;
  readonly what: string;
  readonly where: 'host' | 'qemu';
  /** Of one run of the work; the host's programs count cuts only. */
  readonly flashOperations?: number;
  readonly cuts: number;
  /** How the cuts were made, and how often the old or the new was there afterwards. */
  readonly how?: string;
  readonly modelsLost: number;
  readonly firmwaresLost: number;
  readonly losses: readonly string[];
  readonly seconds: number;
}

const root = fileURLToPath(new URL('../..', import.meta.url));
const options = benchOptions('powercut', ROWS);
const wanted = (name: RowName): boolean => options.only.length === 0 || options.only.includes(name);
const run = promisify(execFile);

/** Of firmware (firmware/boot/layout.h). */
const SLOT_BYTES = 0x3000;
/** Longest that `make` may take: some of its programs run with sanitizers. */
const MAKE_MS = 1_200_000;

/** Standard output of `make` in firmware/, also where it says that something was lost. */
async function make(...words: string[]): Promise<string> {
  try {
    return (await run('make', ['-s', '-C', join(root, 'firmware'), ...words], { timeout: MAKE_MS })).stdout;
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string };
    if (!/\d+ cuts, \d+/.test(stdout ?? '')) throw new Error(`make ${words.join(' ')}: ${stderr || error}`);
    return stdout!;
  }
}

/** The sum is the last line, `N cuts, M models lost` or `... boards without firmware`; a loss has a line that begins with LOST. */
async function onHost(name: 'core' | 'boot', what: string, target: string): Promise<Row> {
  const began = performance.now();
  const said = (await make(target)).trim().split('\n');
  const sum = /^(\d+) cuts, (\d+) (models lost|boards without firmware)$/.exec(said.at(-1) ?? '');
  if (sum === null) throw new Error(`make ${target} ended with: ${said.at(-1)}`);
  const lost = Number(sum[2]);
  return {
    name,
    what,
    where: 'host',
    cuts: Number(sum[1]),
    modelsLost: name === 'core' ? lost : 0,
    firmwaresLost: name === 'boot' ? lost : 0,
    losses: said.filter((line) => line.includes('LOST')),
    seconds: (performance.now() - began) / 1000,
  };
}

const image = (seed: number): Uint8Array =>
  encodeImage(randomModel({ rawInputs: 20, classes: 3, hidden: [21, 12] }, new Random(seed)));

/** The same sources compiled to other code: no page of it is like that of the other firmware. */
async function otherFirmware(): Promise<Uint8Array> {
  mkdirSync(join(root, 'build/powercut'), { recursive: true });
  await make('BOARD=microbit', 'BUILD=../build/powercut', 'WARN=-std=c99 -fno-inline-functions-called-once');
  return readFileSync(join(root, 'build/powercut/boards/microbit/firmware.bin'));
}

/** Each state and each operation, and each of these torn; runs that are stopped there take long, so of a firmware's many every so many. */
function stepsOf(work: Work): Steps {
  const firmware = work.what === 'firmware update';
  if (options.quick) return firmware ? { stopped: 1500, placed: 80, torn: 160 } : { stopped: 8, placed: 20, torn: 8 };
  return firmware ? { stopped: 150, placed: 1, torn: 1 } : { stopped: 1, placed: 10, torn: 1 };
}

async function inQemu(report: (row: Row) => void): Promise<void> {
  await make('boot');
  await make('BOARD=microbit');
  const boot = join(root, 'build/boot/microbit/boot.bin');
  const now = readFileSync(join(root, 'build/boards/microbit/firmware.bin'));
  const parts = { boot: readFileSync(boot), firmware: await otherFirmware(), build: 1, model: image(1) };
  let flash = new Uint8Array(FLASH_BYTES);
  flash.fill(0xff);
  for (const { address, bytes } of composeMicrobit(parts).segments) {
    if (address >= FLASH_AT) flash.set(bytes, address - FLASH_AT);
  }
  // The upload that it came by lies in slot 1, marked as taken, so that the next one has pages to erase.
  flash.set(flash.slice(0, SLOT_BYTES), SLOT_BYTES);
  flash.fill(0, 2 * SLOT_BYTES - 4, 2 * SLOT_BYTES);
  const random = new Random(5);
  const samples = Array.from({ length: 30 }, (_, n) => ({
    input: Uint8Array.from({ length: 20 }, () => random.integer(256)),
    label: n % 3,
  }));
  const works: readonly (readonly [RowName, Work])[] = [
    ['transfer', { what: 'model transfer', image: image(2) }],
    ['save', { what: 'save', samples }],
    ['update', { what: 'firmware update', file: wrapMicrobit(now, 2) }],
  ];
  const board = await PowerCutBoard.start(boot);
  try {
    for (const [name, work] of works) {
      if (!wanted(name)) continue;
      const began = performance.now();
      const steps = stepsOf(work);
      const { count, after } = await cutPower(board, work, flash, steps, name === 'update' ? undefined : image(3));
      flash = Uint8Array.from(after);
      const { stopped, placed, torn, keptOld, tookNew } = count;
      report({
        name,
        what: `${work.what} (${count.erases} erases)`,
        where: 'qemu',
        flashOperations: count.operations,
        cuts: count.cuts,
        how: `${stopped} stopped there (1 in ${steps.stopped}), ${placed} placed (1 in ${steps.placed}, and beside each erase), ${torn} torn (1 in ${steps.torn}); old ${keptOld}, new ${tookNew}`,
        modelsLost: count.modelsLost,
        firmwaresLost: count.firmwaresLost,
        losses: count.losses,
        seconds: (performance.now() - began) / 1000,
      });
    }
  } finally {
    await board.close();
  }
}

const rows: Row[] = [];
function report(row: Row): void {
  rows.push(row);
  for (const loss of row.losses) process.stderr.write(`${row.what}: ${loss}\n`);
  if (options.json) return;
  if (rows.length === 1) {
    process.stdout.write(
      '| what | where | flash operations | cuts tried | models lost | firmwares lost | how | seconds |\n|---|---|---|---|---|---|---|---|\n',
    );
  }
  process.stdout.write(
    `| ${row.what} | ${row.where} | ${row.flashOperations ?? ''} | ${row.cuts} | **${row.modelsLost}** | **${row.firmwaresLost}** | ${row.how ?? 'before, within and behind every operation'} | ${row.seconds.toFixed(0)} |\n`,
  );
}

if (!existsSync(join(root, 'firmware/Makefile'))) throw new Error(`there is no firmware/ in ${root}`);
if (wanted('core')) report(await onHost('core', 'transfer, save, patch, recovery: 5 builds of the core', 'powercut'));
if (wanted('boot')) report(await onHost('boot', 'upload and copy: the bootloader', 'boot-powercut'));
if (wanted('transfer') || wanted('save') || wanted('update')) await inQemu(report);

const sum = (of: (row: Row) => number): number => rows.reduce((total, row) => total + of(row), 0);
const total = {
  cuts: sum((row) => row.cuts),
  modelsLost: sum((row) => row.modelsLost),
  firmwaresLost: sum((row) => row.firmwaresLost),
};
if (options.json) process.stdout.write(`${JSON.stringify({ bench: 'powercut', quick: options.quick, rows, total })}\n`);
else {
  process.stdout.write(
    `\n${total.cuts} cuts, ${total.modelsLost} models lost, ${total.firmwaresLost} firmwares lost\n`,
  );
}
if (total.modelsLost + total.firmwaresLost > 0) process.exitCode = 1;
