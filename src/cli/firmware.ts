import { defineCommand } from 'citty';
import { GoodnessError } from '../base/errors.js';
import type { Board } from '../device/boards/board.js';
import { BOARDS, boardOf } from '../device/boards/boards.js';
import { buildFirmware, findFirmware, missingTools } from '../device/boards/firmware.js';
import { COMMON, oneOf } from './arguments.js';
import type { CliContext } from './context.js';
import { table } from './table.js';

export default defineCommand({
  meta: {
    name: 'firmware',
    description:
      'Builds the firmware of a board, or of all whose compilers are there (`firmware build all`), or lists what is there (`firmware list`). The package brings most of it built.',
  },
  args: {
    action: { type: 'positional', required: true, description: 'build or list' },
    board: { type: 'positional', required: false, description: 'What to build: a board, or all' },
    out: { type: 'string', valueHint: 'folder', description: 'Copy what was built to this folder, as <board>.hex' },
    ...COMMON,
  },
  async run({ args, data }) {
    const context = data as CliContext;
    if (oneOf('action', args.action, ['build', 'list']) === 'list') {
      list(context);
      return;
    }
    if (args.board === undefined) {
      throw new GoodnessError('usage.argument', 'there is nothing to build', {
        expected: `${buildable()
          .map((board) => board.id)
          .join(', ')} or all`,
        fix: 'Name a board.',
      });
    }
    await build(args.board, args.out, context);
  },
});

/** Boards that there is firmware of ours for. */
function buildable(): Board[] {
  return BOARDS.filter((board) => board.build !== undefined);
}

function list({ output, environment }: CliContext): void {
  const firmware = buildable().map((board) => {
    const found = findFirmware(board);
    return {
      board: board.id,
      path: found?.path ?? null,
      origin: found?.origin ?? null,
      missing: missingTools(board.build!, environment.PATH ?? ''),
    };
  });
  const rows = firmware.map(({ board, path, origin, missing }) => [
    board,
    origin === null ? 'to be built' : origin === 'package' ? 'in the package' : 'built',
    missing.length === 0 ? 'yes' : `no: lacks ${missing.join(', ')}`,
    path ?? '',
  ]);
  const columns = [{ title: 'board' }, { title: 'firmware' }, { title: 'can be built here' }, { title: 'file' }];
  output.result({ firmware }, table(columns, rows, output.colors));
}

async function build(which: string, out: string | undefined, context: CliContext): Promise<void> {
  const { output, environment } = context;
  const path = environment.PATH ?? '';
  const options = { path, ...(out === undefined ? {} : { out }) };
  const boards = which === 'all' ? buildable() : [boardOf(which)];
  const built: { board: string; path: string }[] = [];
  const skipped: { board: string; missing: string[] }[] = [];
  for (const board of boards) {
    const missing = board.build === undefined ? [] : missingTools(board.build, path);
    // `all` means all that this machine can build; a board that is named must be built.
    if (which === 'all' && missing.length > 0) {
      skipped.push({ board: board.id, missing });
      output.warn(`${board.id} is left out: there is no ${missing.join(' and no ')}`);
      continue;
    }
    output.note(`building ${board.id}`);
    built.push({ board: board.id, path: await buildFirmware(board, options) });
  }
  output.result(
    { built, skipped },
    built.map((made) => `${made.board}  ${made.path}`).join('\n') || 'nothing was built',
  );
}
