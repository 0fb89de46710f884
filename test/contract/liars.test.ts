import { describe, expect, it } from 'vitest';
import type { CheckName } from '../../src/device/contract/checks.js';
import { type ContractReport, type ContractTarget, runContract } from '../../src/device/contract/contract.js';
import { Session } from '../../src/device/session.js';
import { connectSimulated } from '../../src/device/simulated.js';
import { SimulatedBoard } from '../../src/device/simulated-board.js';
import type { Transport } from '../../src/device/transport.js';
import { encodeFrame, type Frame, FrameDecoder } from '../../src/format/frame.js';
import { MESSAGES } from '../../src/format/message.js';
import { randomModel } from '../golden/random-model.js';

const MODEL = randomModel({ seed: 62, rawInputs: 16, classes: 3, hidden: [12, 9] });

/** Changes the answer to a request; the request itself is at hand. Undefined leaves it as it is. */
type Lie = (answer: Uint8Array, request: Frame) => Uint8Array | undefined;

/** A line behind which the device says something else than it should, in whole frames with good checksums. */
function lying(inner: Transport, lie: Lie): Transport {
  const down = new FrameDecoder(65535);
  const up = new FrameDecoder(65535);
  const asked = new Map<number, Frame>();
  return {
    name: inner.name,
    baud: inner.baud,
    traffic: inner.traffic,
    write: (bytes) => {
      down.push(bytes, (frame) => asked.set(frame.sequence, frame));
      return inner.write(bytes);
    },
    onData: (listener) =>
      inner.onData((bytes) =>
        up.push(bytes, ({ type, sequence, payload }) => {
          const request = asked.get(sequence);
          const said = (request === undefined ? undefined : lie(payload, request)) ?? payload;
          listener(encodeFrame(type, sequence, said));
        }),
      ),
    onClose: (listener) => inner.onClose(listener),
    close: () => inner.close(),
  };
}

/** The answer with one bit of a byte behind its status flipped. */
function flipped(answer: Uint8Array, at: number): Uint8Array {
  return answer.map((byte, i) => (i === at + 1 ? byte ^ 1 : byte));
}

/** What a contract with a device that lies so finds. */
async function contractOf(lie: Lie, target: Partial<ContractTarget> = {}): Promise<ContractReport> {
  const board = await SimulatedBoard.start();
  return runContract(
    {
      name: 'a liar',
      openSession: async () =>
        Session.open(lying(await connectSimulated(board), lie), { responseMs: 200, slowMs: 200, retries: 1 }),
      transfer: 'link',
      savesTo: 'store',
      ...target,
    },
    MODEL,
    { steps: 60, samples: 5 },
  );
}

const names = (report: ContractReport): CheckName[] => report.checks.filter((c) => !c.ok).map((c) => c.name);
const is = (frame: Frame, message: { readonly type: number }): boolean => frame.type === message.type;
const nth = (n: number, what: (frame: Frame) => boolean): ((frame: Frame) => boolean) => {
  let seen = 0;
  return (frame) => what(frame) && ++seen === n;
};

describe('the contract', () => {
  it('finds nothing in a device that does not lie', async () => {
    const report = await contractOf(() => undefined);
    expect(names(report)).toEqual([]);
    expect(report).toMatchObject({ ok: true, bytesDifferent: 0 });
  });

  const honestOk = Uint8Array.of(0);
  const cases: readonly [string, CheckName, () => Lie][] = [
    [
      'one bit of one activity',
      'inference',
      () => {
        const hit = nth(4, (frame) => is(frame, MESSAGES.trace));
        return (answer, frame) => (answer[0] === 0 && hit(frame) ? flipped(answer, 3) : undefined);
      },
    ],
    [
      'one bit of one score while it learns',
      'learning',
      () => {
        const hit = nth(30, (frame) => is(frame, MESSAGES.learn) && frame.payload.length > 5);
        return (answer, frame) => (hit(frame) ? flipped(answer, 8) : undefined);
      },
    ],
    [
      'a counter of its state',
      'learning',
      () => (answer, frame) =>
        is(frame, MESSAGES.status) && answer[5]! + answer[6]! > 0 ? flipped(answer, 14) : undefined,
    ],
    [
      'dropped frames that it does not count',
      'bad frames',
      () => (answer, frame) =>
        is(frame, MESSAGES.status) ? answer.map((b, i) => (i > 28 && i < 33 ? 0 : b)) : undefined,
    ],
    [
      'a good answer to a request that it does not know',
      'bad frames',
      () => (_, frame) => (frame.type === 0x7f ? honestOk : undefined),
    ],
    [
      'another code for a label out of range',
      'bad frames',
      () => (answer, frame) =>
        is(frame, MESSAGES.infer) && answer[0] === 12 ? answer.map((b, i) => (i === 0 ? 13 : b)) : undefined,
    ],
    [
      'a bit of the statistics',
      'class statistics',
      () => (answer, frame) =>
        is(frame, MESSAGES.read) && frame.payload[0] === 1 && answer.length > 20 ? flipped(answer, 12) : undefined,
    ],
    [
      'the ticket’s base',
      'delta',
      () => (answer, frame) => (is(frame, MESSAGES.ticket) && answer[0] === 0 ? flipped(answer, 0) : undefined),
    ],
    [
      'another protocol version in refusals',
      'handshake',
      () => (answer, frame) => (is(frame, MESSAGES.hello) && answer[0] === 3 ? flipped(answer, 0) : undefined),
    ],
    [
      'that it took a damaged model',
      'damaged models',
      () => (answer, frame) =>
        is(frame, MESSAGES.commit) && answer[0] === 4 ? Uint8Array.of(0, 1, 2, 3, 4) : undefined,
    ],
  ];

  it.each(cases)('notices a device that lies about %s', async (_, check, make) => {
    const report = await contractOf(make());
    expect(names(report)).toContain(check);
    expect(report.ok).toBe(false);
    expect(report.checks.find((c) => c.name === check)?.first).toBeTruthy();
  });

  it('notices a device that says it saved and did not', async () => {
    let sequence = 1;
    // SAVE becomes a harmless request on its way down, and its answer a good one on its way up.
    const board = await SimulatedBoard.start();
    const report = await runContract(
      {
        name: 'a forgetful device',
        openSession: async () => {
          const inner = await connectSimulated(board);
          const saves = new Set<number>();
          const seen = new FrameDecoder(65535);
          const line = lying(inner, (answer, frame) =>
            saves.delete(frame.sequence) ? Uint8Array.of(0, ++sequence, 0, 0, 0) : answer,
          );
          const write = (bytes: Uint8Array): Promise<void> => {
            let swapped: Uint8Array | undefined;
            seen.push(bytes, (frame) => {
              if (!is(frame, MESSAGES.save) || frame.payload.length > 0) return;
              saves.add(frame.sequence);
              swapped = encodeFrame(MESSAGES.abort.type, frame.sequence, new Uint8Array(0));
            });
            return line.write(swapped ?? bytes);
          };
          // The host waits for an answer to SAVE, whatever was asked below.
          const onData = (listener: (bytes: Uint8Array) => void): void => {
            const up = new FrameDecoder(65535);
            line.onData((bytes) =>
              up.push(bytes, ({ type, sequence: at, payload }) => {
                const saved = payload.length === 5 && type === (MESSAGES.abort.type | 0x80);
                listener(encodeFrame(saved ? MESSAGES.save.type | 0x80 : type, at, payload));
              }),
            );
          };
          return Session.open({ ...line, traffic: inner.traffic, write, onData });
        },
        transfer: 'link',
        savesTo: 'store',
      },
      MODEL,
      { steps: 60, samples: 5 },
    );
    expect(names(report)).toContain('save and reload');
  });

  it('goes on behind a check that ended with an error, and says what it was', async () => {
    const report = await contractOf((answer, frame) =>
      is(frame, MESSAGES.statistics) ? Uint8Array.of(...answer, 1, 2, 3) : undefined,
    );
    const check = report.checks.find((c) => c.name === 'class statistics')!;
    expect(check).toMatchObject({ ok: false, first: expect.stringContaining('number of bytes') });
    expect(report.checks.find((c) => c.name === 'put back')).toMatchObject({ ok: true });
  });

  it('does not call a board that can save one that can not', async () => {
    const board = await SimulatedBoard.start();
    const openSession = async (): Promise<Session> => Session.open(await connectSimulated(board));
    const rig = { name: 'sim', openSession, transfer: 'link' } as const;
    await runContract({ ...rig, savesTo: 'store' }, MODEL, { checks: ['model transfer'] });
    const report = await runContract({ ...rig, savesTo: { nothing: 'an emulator without flash' } }, MODEL);
    const check = report.checks.find((c) => c.name === 'save and reload')!;
    expect(check).toMatchObject({ ok: false, note: expect.stringContaining('save: not verified') });
    expect(names(report)).toContain('model transfer');
  });

  it('does not call a board that takes images one whose image comes with the firmware', async () => {
    const report = await contractOf(() => undefined, { transfer: 'with firmware' });
    expect(names(report)).toContain('model transfer');
  });

  it('puts the given model back, whatever the device had learned and saved', async () => {
    const board = await SimulatedBoard.start();
    const openSession = async (): Promise<Session> => Session.open(await connectSimulated(board));
    const target: ContractTarget = { name: 'sim', openSession, transfer: 'link', savesTo: 'store' };
    await runContract(target, MODEL, { steps: 40 });
    const after = await runContract(target, MODEL, { checks: ['inference'] });
    expect(after).toMatchObject({ ok: true, bytesDifferent: 0 });
  });
});
