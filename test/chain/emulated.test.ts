import { afterEach, describe, expect, it } from 'vitest';
import { Random } from '../../src/base/random.js';
import type { BoardId } from '../../src/device/boards/board.js';
import { boardOf } from '../../src/device/boards/boards.js';
import { buildFirmware, missingTools } from '../../src/device/boards/firmware.js';
import { greet } from '../../src/device/boards/greet.js';
import { planStages } from '../../src/device/boards/stage-planner.js';
import { Chain } from '../../src/device/chain/chain.js';
import { verifyChain, verifyChainLearning } from '../../src/device/chain/verify.js';
import { randomSamples } from '../../src/device/contract/samples.js';
import { startBoard } from '../../src/device/emulated/start.js';
import { findProgram } from '../../src/device/programs.js';
import { openTransport } from '../../src/device/resolve.js';
import type { Session } from '../../src/device/session.js';
import { encodeImage } from '../../src/format/image.js';
import { randomModel } from '../golden/random-model.js';

const path = process.env.PATH ?? '';
const FRAMES = 60;

/** Boards of a pipeline, the lowest first, with the program of the emulator where it is one. */
const PIPELINES: readonly (readonly (readonly [BoardId, string | undefined])[])[] = [
  [
    ['mps2-an386', 'qemu-system-arm'],
    ['stm32f405', 'qemu-system-arm'],
  ],
  [
    ['pico', undefined],
    ['linux', undefined],
  ],
];

const running: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of running.splice(0).reverse()) await one.close();
});

describe('a network on emulated boards of different kinds', () => {
  for (const boards of PIPELINES) {
    const missing = boards.flatMap(([id, emulator]) => [
      ...missingTools(boardOf(id).build!, path),
      ...(emulator === undefined || findProgram(path, emulator) !== undefined ? [] : [emulator]),
    ]);
    const names = boards.map(([id]) => id).join(' and ');
    const note = missing.length === 0 ? '' : ` (SKIPPED: there is no ${missing.join(', ')})`;
    it.skipIf(missing.length > 0)(
      `computes and learns what one device would: ${names}${note}`,
      {
        timeout: 240_000,
      },
      async () => {
        const model = randomModel({ seed: 31, rawInputs: 60, classes: 5, hidden: [40, 30, 20] });
        const facts = boards.map(([id]) => boardOf(id));
        const { stages } = await planStages(model, facts);
        const sessions: Session[] = [];
        for (const [s, board] of facts.entries()) {
          await buildFirmware(board, { path });
          const started = await startBoard(board, { model: encodeImage(stages[s]!) });
          running.push(started);
          sessions.push(await greet(() => openTransport(started.address), { openMs: 20_000 }));
          running.push(sessions.at(-1)!);
        }
        const chain = await Chain.of(sessions);
        const samples = randomSamples(model, new Random(32), FRAMES);
        expect(await verifyChain(chain, model, samples.slice(0, 5))).toEqual({ samples: 5, mismatches: 0 });
        expect(await verifyChainLearning(chain, model, samples)).toEqual({ samples: FRAMES, mismatches: 0 });
      },
    );
  }
});
