import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SimulatedBoard } from '../../src/device/simulated-board.js';
import { serveTcp, type TcpBoard } from '../../src/device/tcp-server.js';
import { encodeImage } from '../../src/format/image.js';
import { randomModel } from '../golden/random-model.js';
import { goodness, json } from './support/run.js';

let folder = '';
let model = '';
let big = '';
let server: TcpBoard;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'goodness-flash-'));
  model = join(folder, 'model.ffm');
  big = join(folder, 'big.ffm');
  writeFileSync(model, encodeImage(randomModel({ seed: 1, rawInputs: 12, classes: 4, hidden: [16, 16] })));
  writeFileSync(big, encodeImage(randomModel({ seed: 1, rawInputs: 784, classes: 10, hidden: [120, 120] })));
  server = await serveTcp(await SimulatedBoard.start(), 0);
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

describe('goodness flash --board', () => {
  it('sends a placed model over the link of a board without a bootloader, and reads it back', async () => {
    const args = ['flash', '--board', 'wasm', '--port', server.address, '--model', model, '--learn', '1', '--json'];
    const said = await goodness(args);
    expect(said.err).not.toContain('error');
    expect(json(said)).toMatchObject({
      board: 'wasm',
      plan: { layers: [{ learns: false }, { learns: true }] },
      sent: { verified: true },
      hello: { target: 'wasm', modelLoaded: true },
    });
    const again = await goodness(['flash', '--board', 'wasm', '--port', server.address, model]);
    expect(again.out).toContain('layers that learn: 0, 1');
    expect(again.err).toMatch(/model verify +100%/);
  });

  it('refuses a model that does not fit before a port is opened', async () => {
    const said = await goodness(['flash', big, '--board', 'microbit', '--port', '/dev/ttyNoSuch7', '--json']);
    expect(said.code).toBe(2);
    expect(json(said)).toMatchObject({
      error: {
        code: 'plan.fit',
        message: expect.stringMatching(/\d+ of \d+ bytes/),
        fix: expect.stringContaining('frozen'),
      },
    });
  });

  it('refuses to send a model to another board than the one that it was planned for', async () => {
    const args = ['flash', model, '--board', 'microbit', '--firmware', 'none', '--port', server.address];
    const said = await goodness(args);
    expect(said.code).toBe(3);
    expect(said.err).toContain('error[device.board]');
    expect(said.err).toContain('--board wasm');
  });

  it.each([
    ['firmware for a board that is a program', ['--board', 'linux', '--firmware', 'x.hex'], 'usage.option'],
    ['nothing at all', ['--board', 'wasm'], 'usage.argument'],
    ['a board that is not there', ['--board', 'toaster'], 'board.unknown'],
    ['firmware that is no file', ['--board', 'uno', '--firmware', '/no/such.hex'], 'file.read'],
    ['a board of which there is no firmware', ['--board', 'esp32'], 'firmware.none'],
    ['options of boards without a board', ['{model}', '--firmware', 'none'], 'usage.option'],
    ['layers without a board', ['{model}', '--learn', '1'], 'usage.option'],
    ['two models', ['{model}', '--model', '{model}'], 'usage.argument'],
    ['no model and no board', [], 'usage.argument'],
  ])('refuses %s', async (_, args, code) => {
    const filled = args.map((arg) => arg.replace('{model}', model));
    const said = await goodness(['flash', ...filled, '--port', 'sim']);
    expect(said.err).toContain(`error[${code}]`);
    expect(said.code).toBe(2);
  });
});
