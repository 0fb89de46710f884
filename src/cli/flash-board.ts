import { GoodnessError } from '../base/errors.js';
import type { Board } from '../device/boards/board.js';
import { readFirmware } from '../device/boards/composition.js';
import { firmwareFor } from '../device/boards/firmware.js';
import { type FlashBoardPhase, type FlashBoardReport, flashBoard } from '../device/boards/flash-board.js';
import { doesNotFit, plan } from '../device/boards/planner.js';
import type { FirmwareImage } from '../device/bootloader/firmware-image.js';
import type { Model } from '../format/model.js';
import type { CliContext } from './context.js';
import { readWhole } from './files.js';
import { readModel } from './model-file.js';
import { layersOf, planText } from './plan-text.js';
import { baudOf, resolveBoardPort } from './port-choice.js';

export interface BoardArguments {
  readonly model: string | undefined;
  readonly port?: string | undefined;
  readonly baud: string;
  readonly firmware: string | undefined;
  readonly learn: string | undefined;
  readonly link: string | undefined;
  readonly wiring: string | undefined;
  readonly verify: boolean;
}

/** `goodness flash --board`: firmware first, then the model. */
export async function flashOneBoard(board: Board, args: BoardArguments, context: CliContext): Promise<void> {
  const { output } = context;
  const learning = layersOf(args.learn);
  const model = args.model === undefined ? undefined : (await readModel(args.model)).model;
  await refuse(board, model, learning);
  const firmware = await firmwareOf(board, args.firmware);
  if (firmware === undefined && model === undefined) {
    throw new GoodnessError('usage.argument', 'there is nothing to flash', {
      expected: 'a model, firmware, or both',
      fix: 'Name a model image (.ffm), or leave --firmware none out.',
    });
  }
  // A drive is found by what lies on it: it needs no port.
  const byDrive = board.bootloader?.protocol === 'uf2' && firmware !== undefined && args.port === undefined;
  const port = byDrive ? '' : await resolveBoardPort(args.port, board, context);
  const bars = new Map<FlashBoardPhase, (done: number, total: number) => void>();
  const start = context.now();
  const report = await flashBoard(board, port, {
    ...(firmware === undefined ? {} : { firmware }),
    ...(model === undefined ? {} : { model }),
    ...learning,
    ...(args.link === undefined ? {} : { link: args.link }),
    ...(args.wiring === undefined ? {} : { wiring: args.wiring }),
    baud: baudOf(args.baud),
    verify: args.verify,
    onNote: (text) => output.note(text),
    onProgress: (phase, done, total) => {
      const bar = bars.get(phase) ?? output.progress(phase.padEnd(16));
      bars.set(phase, bar);
      bar(done, total);
    },
  });
  const seconds = (context.now() - start) / 1000;
  if (report.plan !== undefined) output.note(planText(report.plan, board, output.colors));
  output.result({ port, ...report, seconds }, summary(board, report, seconds));
}

/** A model that doesn't fit is refused before firmware is looked for and before a port is opened. */
async function refuse(board: Board, model: Model | undefined, learning: { learn?: readonly number[] }): Promise<void> {
  if (model === undefined) return;
  const planned = await plan(model, board, learning);
  if (!planned.fits) throw doesNotFit(planned);
}

/** The image that the option names, or that of the package; none where the board has no bootloader or it is to stay. */
async function firmwareOf(board: Board, named: string | undefined): Promise<FirmwareImage | undefined> {
  if (named === 'none' || (named === undefined && board.bootloader === undefined)) return undefined;
  if (board.bootloader === undefined) {
    throw new GoodnessError('usage.option', `${board.name} takes no firmware over a port`, {
      fix: 'Start its program, then flash the model without --firmware.',
    });
  }
  const path = named ?? firmwareFor(board).path;
  const bytes = await readWhole(path, 'firmware as .hex or .bin');
  return readFirmware(board, bytes, path);
}

function summary(board: Board, { written, sent, hello, plan: planned }: FlashBoardReport, seconds: number): string {
  const parts = [
    written === undefined
      ? ''
      : `${written.bytesWritten} bytes by bootloader (${written.chip}, ${written.baud} baud)` +
        `${written.bytesVerified > 0 ? `, ${written.bytesVerified} read back` : ', not read back'}`,
    sent === undefined ? '' : `model of ${sent.imageBytes} bytes${sent.verified ? ', verified' : ''}`,
    planned === undefined ? '' : `layers that learn: ${learners(planned.layers)}`,
    hello === undefined
      ? 'not asked whether it runs'
      : `runs: ${hello.target}, RAM ${hello.arenaUsed} of ${hello.arenaBytes} bytes`,
  ];
  return `${board.name}: ${parts.filter((part) => part !== '').join('; ')} (${seconds.toFixed(1)} s)`;
}

function learners(layers: readonly { layer: number; learns: boolean }[]): string {
  const names = layers.filter((layer) => layer.learns).map((layer) => layer.layer);
  return names.length === 0 ? 'none' : names.join(', ');
}
