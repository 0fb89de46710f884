import { defineCommand } from 'citty';
import type { Board } from '../device/boards/board.js';
import { BOARDS } from '../device/boards/boards.js';
import { findFirmware } from '../device/boards/firmware.js';
import { COMMON } from './arguments.js';
import type { CliContext } from './context.js';
import { bytes, table } from './table.js';

export default defineCommand({
  meta: {
    name: 'boards',
    description:
      'Lists the boards that Goodness knows: what they have, how they are flashed, and how far each was tried. Nothing here was verified on hardware unless it says so.',
  },
  args: COMMON,
  run({ data }) {
    const { output } = data as CliContext;
    const columns = [
      { title: 'board' },
      { title: 'name' },
      { title: 'RAM', right: true },
      { title: 'flash', right: true },
      { title: 'for a model', right: true },
      { title: 'flashed by' },
      { title: 'firmware' },
      { title: 'tried' },
    ];
    const rows = BOARDS.map((board) => [
      board.id,
      board.name,
      bytes(board.ramBytes),
      bytes(board.flashBytes),
      bytes(board.budget?.arenaBytes),
      board.bootloader?.protocol ?? '-',
      firmwareState(board),
      board.verified,
    ]);
    const boards = BOARDS.map((board) => ({ ...board, firmware: findFirmware(board) ?? null }));
    output.result({ boards }, table(columns, rows, output.colors));
    output.note('what a model takes on one of them: goodness inspect model.ffm --board <board>');
  },
});

function firmwareState(board: Board): string {
  if (board.build === undefined) return board.id === 'wasm' ? 'built in' : 'none';
  const found = findFirmware(board);
  if (found === undefined) return 'to be built';
  return found.origin === 'package' ? 'in the package' : 'built';
}
