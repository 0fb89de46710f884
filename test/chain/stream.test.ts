import { afterEach, describe, expect, it } from 'vitest';
import { Chain } from '../../src/device/chain/chain.js';
import { evaluateChain, learnChain } from '../../src/device/chain/stream.js';
import { pullImage } from '../../src/device/pull.js';
import { Session } from '../../src/device/session.js';
import { connectSimulated } from '../../src/device/simulated.js';
import { SimulatedBoard } from '../../src/device/simulated-board.js';
import { evaluateCore } from '../../src/device/stream.js';
import { flashModel } from '../../src/device/transfer.js';
import { WasmCore } from '../../src/device/wasm/core.js';
import { decodeImage, encodeImage } from '../../src/format/image.js';
import { MESSAGES, type Outcome } from '../../src/format/message.js';
import type { Model } from '../../src/format/model.js';
import { joinModels, splitModel } from '../../src/format/stages.js';
import { Reference } from '../../src/reference/reference.js';
import { FaultyTransport } from '../device/support/faulty-transport.js';
import { randomData } from '../device/support/rig.js';
import { randomModel } from '../golden/random-model.js';

const MODEL = randomModel({
  seed: 91,
  rawInputs: 40,
  classes: 4,
  hidden: [32, 24, 20, 12],
  inputBits: [8, 4, 8, 4],
  bits: [8, 4, 8, 3],
});
const DATA = randomData(MODEL, 92, 300);

const open: Session[] = [];
afterEach(async () => {
  for (const session of open.splice(0)) await session.close();
});

/** Boards with the stages of a model, on lines that hurt one byte in `1 / rate`. */
async function chainOf(model: Model, cuts: readonly number[], rate = 0): Promise<Chain> {
  const lines: FaultyTransport[] = [];
  for (const [s, stage] of splitModel(model, cuts).entries()) {
    const board = await SimulatedBoard.start();
    const line = new FaultyTransport(await connectSimulated(board), 7 + s, 0);
    const session = await Session.open(line, { responseMs: 50 });
    await flashModel(session, encodeImage(stage), { verify: false });
    lines.push(line);
    open.push(session);
  }
  const chain = await Chain.of(open);
  for (const line of lines) line.rate = rate;
  return chain;
}

async function joined(chain: Chain): Promise<Buffer> {
  const stages = [];
  for (const session of chain.sessions) stages.push(decodeImage(await pullImage(session)));
  return Buffer.from(encodeImage(joinModels(stages)));
}

/** What one board says of each sample while it learns them, and what it is then. */
function single(model: Model): { outcomes: Outcome[]; image: Buffer } {
  const reference = new Reference(model);
  const outcomes: Outcome[] = [];
  for (let i = 0; i < DATA.count; i++) {
    const {
      scores: _,
      goodness: __,
      ...outcome
    } = reference.learn(DATA.inputs.subarray(i * DATA.width, (i + 1) * DATA.width), DATA.labels[i]!);
    outcomes.push(outcome);
  }
  return { outcomes, image: Buffer.from(reference.image()) };
}

describe('a network on several boards', () => {
  it.each([[[1]], [[3]], [[1, 2]], [[1, 2, 3]]])(
    'learns what one board does, byte for byte, cut at %j',
    async (cuts) => {
      const chain = await chainOf(MODEL, cuts);
      const outcomes: (Outcome | undefined)[] = [];
      const report = await learnChain(chain, DATA, {
        onOutcome: (place, outcome) => {
          outcomes[place] = outcome;
        },
      });
      const expected = single(MODEL);
      expect(outcomes).toEqual(expected.outcomes);
      expect(report).toMatchObject({ samples: DATA.count, unanswered: 0 });
      expect((await joined(chain)).equals(expected.image)).toBe(true);
    },
  );

  it('has samples on several boards at once', async () => {
    // What the upper board answers to LEARN stays on its line until the lower one has learned further.
    const chain = await chainOf(MODEL, [2]);
    const held: (() => void)[] = [];
    const { highest, lowest } = chain;
    const request = highest.request.bind(highest);
    highest.request = async (message, query) => {
      const answer = await request(message, query);
      if (message.name === 'LEARN') await new Promise<void>((release) => held.push(release));
      return answer;
    };
    const learning = learnChain(chain, DATA, { samples: 12 });
    await expect.poll(() => held.length).toBeGreaterThan(0);
    await expect
      .poll(async () => (await lowest.request(MESSAGES.status, undefined)).samples - MODEL.state.samples)
      .toBeGreaterThan(2);
    const release = setInterval(() => held.shift()?.(), 1);
    await learning;
    clearInterval(release);
  });

  it('classifies as one board does', async () => {
    const chain = await chainOf(MODEL, [2]);
    const core = await WasmCore.withModel(encodeImage(MODEL));
    expect(await evaluateChain(chain, DATA)).toEqual(evaluateCore(core, DATA));
    expect((await joined(chain)).equals(Buffer.from(encodeImage(MODEL)))).toBe(true);
  });

  it('learns each sample once on each board, over lines that lose bytes', async () => {
    const chain = await chainOf(MODEL, [1, 3], 2e-3);
    await learnChain(chain, DATA);
    expect(chain.sessions.reduce((sum, session) => sum + session.line.retries, 0)).toBeGreaterThan(10);
    for (const session of chain.sessions) (session.transport as FaultyTransport).rate = 0;
    expect((await joined(chain)).equals(single(MODEL).image)).toBe(true);
  });

  it('counts on boards where no layer learns', async () => {
    const model = { ...MODEL, layers: MODEL.layers.map((layer, l) => ({ ...layer, learns: l === 1 })) };
    const means = MODEL.state.means.map((values, l) => (l === 1 ? values : new Uint16Array(0)));
    const part = { ...model, state: { ...model.state, means } };
    const chain = await chainOf(part, [1, 2]);
    await learnChain(chain, DATA);
    expect((await joined(chain)).equals(single(part).image)).toBe(true);
  });

  it('refuses boards in a wrong order, and one too few', async () => {
    await chainOf(MODEL, [1, 2]);
    const [a, b, c] = open as [Session, Session, Session];
    await expect(Chain.of([b, a, c])).rejects.toMatchObject({ code: 'stages.order' });
    await expect(Chain.of([a, b])).rejects.toMatchObject({ code: 'stages.order' });
    await expect(Chain.of([b, c])).rejects.toMatchObject({ code: 'stages.order' });
    await expect(Chain.of([a])).rejects.toMatchObject({ code: 'chain.boards' });
  });

  it('notices boards that did not learn the same samples', async () => {
    const chain = await chainOf(MODEL, [2]);
    await learnChain(chain, DATA, { samples: 20 });
    await chain.highest.request(MESSAGES.reload, undefined);
    await expect(learnChain(chain, DATA)).rejects.toMatchObject({ code: 'stages.apart' });
  });
});
