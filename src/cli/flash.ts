import { defineCommand } from 'citty';
import { GoodnessError } from '../base/errors.js';
import { boardOf } from '../device/boards/boards.js';
import { boardOfTarget } from '../device/boards/probe.js';
import { flashModel } from '../device/transfer.js';
import type { HelloResponse } from '../format/message.js';
import { COMMON, PORT } from './arguments.js';
import type { CliContext } from './context.js';
import { withDevice } from './device-session.js';
import { type BoardArguments, flashOneBoard } from './flash-board.js';
import { flashPipeline } from './flash-pipeline.js';
import { readModel } from './model-file.js';
import { CUT, LEARN } from './plan-text.js';
import { resolvePort } from './port-choice.js';
import { PIPELINE } from './target.js';

export default defineCommand({
  meta: {
    name: 'flash',
    description:
      'Puts a model on a device and reads it back. A transfer that was cut off goes on where it stopped; until all is there and checked, the device keeps the model it has. With --board it puts the firmware of that board there first, and plans which layers of the model learn.',
  },
  args: {
    file: { type: 'positional', required: false, valueHint: 'model.ffm', description: 'Model image (.ffm)' },
    ...PORT,
    ...PIPELINE,
    ...CUT,
    model: { type: 'string', valueHint: 'model.ffm', description: 'The same as the word without an option' },
    board: {
      type: 'string',
      valueHint: 'board',
      description: 'Flash this board, firmware and all: see `goodness boards`',
    },
    firmware: {
      type: 'string',
      valueHint: 'image',
      description: 'With --board: firmware (.hex, .bin) in place of that of this package; none: keep what is there',
    },
    learn: {
      ...LEARN.learn,
      description:
        'With --board or --pipeline: layers that learn there, such as 1 or 0,1, or none; left out: as many weights as fit',
    },
    link: {
      type: 'string',
      valueHint: 'port',
      description: 'With --board: port of the link to the firmware, where the bootloader is on another',
    },
    wiring: {
      type: 'string',
      valueHint: 'name',
      description: 'With --board stm32f405: how DTR and RTS are wired to reset and BOOT0; left out: not at all',
    },
    verify: { type: 'boolean', default: true, description: 'Read it back', negativeDescription: 'Do not read it back' },
    ...COMMON,
  },
  async run({ args, data }) {
    const context = data as CliContext;
    const file = oneModel(args.file, args.model);
    if (args.pipeline !== undefined) {
      refuseBeside('pipeline', args, ['board', 'firmware', 'link', 'wiring']);
      await flashPipeline(wanted(file), { ...args, pipeline: args.pipeline }, context);
      return;
    }
    refuseWithout('pipeline', args, ['cut']);
    if (args.board !== undefined) {
      await flashOneBoard(boardOf(args.board), { ...args, model: file } satisfies BoardArguments, context);
      return;
    }
    refuseWithout('board', args, ['firmware', 'learn', 'link', 'wiring']);
    await flashOneModel(wanted(file), args, context);
  },
});

/** Options that mean nothing together with another one. */
function refuseBeside(option: string, args: Readonly<Record<string, unknown>>, names: readonly string[]): void {
  for (const name of names) {
    if (args[name] === undefined) continue;
    throw new GoodnessError('usage.option', `--${name} does not go with --${option}`, { fix: 'See --help.' });
  }
}

/** Options that mean nothing without another one. */
function refuseWithout(option: string, args: Readonly<Record<string, unknown>>, names: readonly string[]): void {
  for (const name of names) {
    if (args[name] === undefined) continue;
    throw new GoodnessError('usage.option', `--${name} needs --${option}`, { fix: 'See --help.' });
  }
}

/** A model that must be there. */
function wanted(file: string | undefined): string {
  if (file !== undefined) return file;
  throw new GoodnessError('usage.argument', 'there is nothing to flash', {
    expected: 'a model, a board, or both',
    fix: 'Name a model image (.ffm), or say --board.',
  });
}

/** A model may be named in two ways, but once. */
function oneModel(word: string | undefined, option: string | undefined): string | undefined {
  if (word === undefined || option === undefined) return word ?? option;
  throw new GoodnessError('usage.argument', 'two models are named', { got: `${word}, ${option}`, fix: 'Name one.' });
}

/** Refusals that a plan for the board may get round, by freezing layers or by writing the model with the firmware. */
const PLANNABLE = new Set(['device.arena', 'device.argument']);

/** The same refusal with the way round it, where the board is one that can be planned for. */
function planned(error: unknown, { target, imageWithFirmware }: HelloResponse): unknown {
  const board = boardOfTarget(target);
  if (board === undefined || !(error instanceof GoodnessError) || !PLANNABLE.has(error.code)) return error;
  const { code, expected, got } = error;
  const [message, fix] = imageWithFirmware
    ? [
        'this board takes a model together with its firmware only',
        `Flash both: \`goodness flash --board ${board.id}\`.`,
      ]
    : [
        'the model does not fit the RAM of the device with all its layers learning',
        `\`goodness flash --board ${board.id} --firmware none\` plans which of them learn; \`goodness inspect --board ${board.id}\` shows it.`,
      ];
  return new GoodnessError(code, message!, {
    ...(expected === undefined || imageWithFirmware ? {} : { expected }),
    ...(got === undefined || imageWithFirmware ? {} : { got }),
    fix: fix!,
    cause: error,
  });
}

/** The model as it is, over the link. */
async function flashOneModel(
  file: string,
  args: { readonly port?: string | undefined; readonly baud: string; readonly verify: boolean },
  context: CliContext,
): Promise<void> {
  const { output } = context;
  // First of all: a forgotten --port must not look like a missing file.
  const port = await resolvePort(args.port, args.baud, context);
  const { image } = await readModel(file);
  await withDevice({ port, baud: args.baud }, context, async (session) => {
    const start = context.now();
    const bars = { send: output.progress('send  '), verify: output.progress('verify') };
    const report = await flashModel(session, image, {
      verify: args.verify,
      onProgress: (phase, done, total) => bars[phase](done, total),
    }).catch((error: unknown) => {
      throw planned(error, session.hello);
    });
    const seconds = (context.now() - start) / 1000;
    const { target, arenaBytes, arenaUsed } = session.hello;
    const resumed = report.resumedAt > 0 ? `, taken up at byte ${report.resumedAt}` : '';
    output.result(
      { port, target, ...report, arenaBytes, arenaUsed, seconds },
      `${report.imageBytes} bytes on ${target}${resumed}${report.verified ? ', verified' : ''} (${seconds.toFixed(1)} s); ` +
        `RAM: ${arenaUsed} of ${arenaBytes} bytes`,
    );
  });
}
