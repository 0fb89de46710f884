import { describe, expect, it } from 'vitest';
import { Session } from '../../src/device/session.js';
import { connectSimulated } from '../../src/device/simulated.js';
import { SimulatedBoard } from '../../src/device/simulated-board.js';
import { encodeFrame } from '../../src/format/frame.js';
import { FORMAT_VERSION } from '../../src/format/image.js';
import { MESSAGES, PROTOCOL_VERSION } from '../../src/format/message.js';
import { STATUS } from '../../src/format/status.js';
import { FaultyTransport } from './support/faulty-transport.js';
import { PeerTransport } from './support/peer-transport.js';
import { MODEL, openRig } from './support/rig.js';

const QUICK = { responseMs: 20, slowMs: 200, openMs: 60 } as const;
const sample = new Uint8Array(MODEL.rawInputs).fill(7);

/** A good HELLO response of a device without a model. */
function helloPayload(version = PROTOCOL_VERSION, window = 4, ahead = 0): Uint8Array {
  const payload = new Uint8Array(1 + 48);
  const view = new DataView(payload.buffer, 1);
  view.setUint16(0, version, true);
  view.setUint16(2, FORMAT_VERSION, true);
  view.setUint8(5, window);
  view.setUint16(6, 512, true);
  view.setUint16(8, 512, true);
  view.setUint16(44, ahead, true);
  return payload;
}

describe('a session', () => {
  it('greets a device and knows what it is', async () => {
    const { session } = await openRig({ image: null });
    expect(session.hello).toMatchObject({ protocolVersion: 2, learns: true, modelLoaded: false });
    expect(session.hello.loadStatus).toBe(STATUS.NO_MODEL);
    await session.close();
  });

  it('greets a device through garbage that came before', async () => {
    const board = await SimulatedBoard.start();
    const transport = await connectSimulated(board);
    await transport.write(Uint8Array.of(3, 1, 4, 1, 5, 9, 2, 6));
    const session = await Session.open(transport);
    expect(session.hello.target).not.toBe('');
    expect((await session.request(MESSAGES.status, undefined)).framesDropped).toBe(1);
    await session.close();
  });

  it('asks a board again that was not ready for the first greetings', async () => {
    let asked = 0;
    const peer = new PeerTransport((frame, say) => {
      if (++asked < 3) return;
      say(new TextEncoder().encode('boot loader 1.0\r\n\0'));
      say(encodeFrame(frame.type | 0x80, frame.sequence, helloPayload()));
    });
    const session = await Session.open(peer, { ...QUICK, openMs: 5000 });
    expect(asked).toBe(3);
    expect(session.line.dropped).toBe(1);
    await session.close();
  });

  it('gives up on a silent port', async () => {
    const peer = new PeerTransport(() => {});
    await expect(Session.open(peer, QUICK)).rejects.toMatchObject({ code: 'device.silent' });
  });

  it('says that the baud rate may be wrong where only garbage comes back', async () => {
    const peer = new PeerTransport((_, say) => say(Uint8Array.of(0x80, 0xf8, 0x78, 0)));
    await expect(Session.open(peer, QUICK)).rejects.toMatchObject({
      code: 'device.silent',
      fix: expect.stringContaining('baud'),
    });
  });

  it('refuses a device of another protocol version, whichever side notices', async () => {
    const newer = PeerTransport.saying(helloPayload(3));
    await expect(Session.open(newer, QUICK)).rejects.toMatchObject({ code: 'device.version', expected: '2', got: '3' });
    const refusal = Uint8Array.of(STATUS.VERSION, 1, 0, 0, 0, 2, 0, 0, 0);
    const older = PeerTransport.saying(refusal);
    await expect(Session.open(older, QUICK)).rejects.toMatchObject({ code: 'device.version', expected: '1', got: '2' });
  });

  it('refuses a device whose model would be larger than any', async () => {
    const payload = helloPayload();
    new DataView(payload.buffer).setUint32(33, 16_777_217, true);
    const liar = PeerTransport.saying(payload);
    await expect(Session.open(liar, QUICK)).rejects.toMatchObject({ code: 'device.greeting', got: '16777217' });
  });

  it('gives up on a device that falls silent, and works again when it is back', async () => {
    let deaf = false;
    const peer = new PeerTransport((frame, say) => {
      if (!deaf) say(encodeFrame(frame.type | 0x80, frame.sequence, helloPayload()));
    });
    const session = await Session.open(peer, QUICK);
    deaf = true;
    const before = peer.requests.length;
    await expect(session.refresh()).rejects.toMatchObject({ code: 'device.silent' });
    const sent = peer.requests.slice(before);
    expect(sent).toHaveLength(4);
    expect(new Set(sent.map((frame) => frame.sequence)).size).toBe(1);
    deaf = false;
    await expect(session.refresh()).resolves.toMatchObject({ window: 4 });
    await session.close();
  });

  it('keeps at most a window of requests under way, and in order', async () => {
    const held: (() => void)[] = [];
    let greeted = false;
    const peer = new PeerTransport((frame, say) => {
      const payload = greeted ? Uint8Array.of(0) : helloPayload();
      const reply = (): void => say(encodeFrame(frame.type | 0x80, frame.sequence, payload));
      if (greeted) held.push(reply);
      else reply();
      greeted = true;
    });
    const session = await Session.open(peer, { ...QUICK, responseMs: 5000 });
    const order: number[] = [];
    const all = Promise.all(
      [1, 2, 3, 4, 5, 6].map((index) => session.request(MESSAGES.stream, { index }).then(() => order.push(index))),
    );
    expect(held).toHaveLength(4);
    while (order.length < 6) {
      held.shift()?.();
      await new Promise((resolve) => setImmediate(resolve));
      expect(held.length).toBeLessThanOrEqual(4);
    }
    await all;
    expect(order).toEqual([1, 2, 3, 4, 5, 6]);
    await session.close();
  });

  it('keeps more short requests under way where the device keeps their bytes, and no more than those', async () => {
    const held: (() => void)[] = [];
    const peer = new PeerTransport((frame, say) => {
      const payload = frame.type === MESSAGES.hello.type ? helloPayload(PROTOCOL_VERSION, 1, 60) : Uint8Array.of(0);
      const reply = (): void => say(encodeFrame(frame.type | 0x80, frame.sequence, payload));
      if (frame.type === MESSAGES.hello.type) reply();
      else held.push(reply);
    });
    const session = await Session.open(peer, { ...QUICK, responseMs: 5000 });
    // A STREAM takes 12 bytes on the line: five of them, and the one that is worked on.
    expect(session.pipelining).toBe(1);
    expect(session.pipeliningOf(4)).toBe(6);
    expect(session.pipeliningOf(100)).toBe(1);
    const all = Array.from({ length: 9 }, (_, index) => session.request(MESSAGES.stream, { index }));
    const long = session.request(MESSAGES.infer, { input: new Uint8Array(99) });
    expect(held).toHaveLength(6);
    for (const answer of all) {
      held.shift()!();
      await answer;
      expect(held.length).toBeLessThanOrEqual(6);
    }
    // The long one waits until all before it are answered.
    expect(held).toHaveLength(1);
    held.shift()!();
    await expect(long).rejects.toMatchObject({ code: 'message.length' });
    await session.close();
  });

  it('sends a lost request again as soon as a later one is answered', async () => {
    let greeted = false;
    let lost = 0;
    const peer = new PeerTransport((frame, say) => {
      const first = frame.type === MESSAGES.stream.type && frame.payload[0] === 1;
      if (first && lost++ === 0) return;
      say(encodeFrame(frame.type | 0x80, frame.sequence, greeted ? Uint8Array.of(0) : helloPayload()));
      greeted = true;
    });
    const session = await Session.open(peer, { responseMs: 60_000 });
    await Promise.all([1, 2].map((index) => session.request(MESSAGES.stream, { index })));
    expect(session.line.retries).toBe(1);
    expect(peer.requests.map((frame) => frame.payload[0])).toEqual([PROTOCOL_VERSION, 1, 2, 1]);
    await session.close();
  });

  it('says that a line is too noisy for a request which never gets through', async () => {
    let greeted = false;
    const peer = new PeerTransport((frame, say) => {
      if (frame.type === MESSAGES.status.type) return;
      say(encodeFrame(frame.type | 0x80, frame.sequence, greeted ? Uint8Array.of(0) : helloPayload()));
      greeted = true;
    });
    const session = await Session.open(peer, { responseMs: 60_000 });
    const outcome = expect(session.request(MESSAGES.status, undefined)).rejects.toMatchObject({ code: 'device.noisy' });
    for (let index = 1; index <= 64; index++) await session.request(MESSAGES.stream, { index });
    await outcome;
    await session.close();
  });

  it('asks a device that takes long whether it is there, and does not give it the same work twice', async () => {
    let greeted = false;
    const peer = new PeerTransport((frame, say) => {
      const payload = greeted ? Uint8Array.of(0) : helloPayload(PROTOCOL_VERSION, 1);
      const reply = (): void => say(encodeFrame(frame.type | 0x80, frame.sequence, payload));
      if (greeted) setTimeout(reply, 70);
      else reply();
      greeted = true;
    });
    const session = await Session.open(peer, QUICK);
    // Three at once, although only one may be under way: none may be forgotten while questions are.
    await Promise.all([1, 2, 3].map((index) => session.request(MESSAGES.stream, { index })));
    const types = peer.requests.map((frame) => frame.type);
    expect(types.filter((type) => type === MESSAGES.stream.type)).toHaveLength(3);
    expect(types.filter((type) => type === MESSAGES.read.type).length).toBeGreaterThanOrEqual(3);
    expect(session.line.retries).toBe(0);
    await session.close();
  });

  it('finds out by such a question that a request got lost, and sends that again', async () => {
    let greeted = false;
    let lost = 0;
    const peer = new PeerTransport((frame, say) => {
      if (frame.type === MESSAGES.stream.type && lost++ === 0) return;
      say(encodeFrame(frame.type | 0x80, frame.sequence, greeted ? Uint8Array.of(0) : helloPayload()));
      greeted = true;
    });
    const session = await Session.open(peer, { responseMs: 60_000 });
    await session.request(MESSAGES.stream, { index: 1 });
    expect(peer.requests.slice(1).map((frame) => frame.type)).toEqual([
      MESSAGES.stream.type,
      MESSAGES.read.type,
      MESSAGES.stream.type,
    ]);
    expect(session.line.retries).toBe(1);
    await session.close();
  });

  it('tells the maker of an attempt that it got lost, and does not send it again', async () => {
    let greeted = false;
    const peer = new PeerTransport((frame, say) => {
      if (frame.type === MESSAGES.stream.type && frame.payload[0] === 1) return;
      say(encodeFrame(frame.type | 0x80, frame.sequence, greeted ? Uint8Array.of(0) : helloPayload()));
      greeted = true;
    });
    const session = await Session.open(peer, QUICK);
    const outcome = await Promise.all([
      session.attempt(MESSAGES.ticket, { ticket: 1 }).catch((error: Error) => error),
      session.attempt(MESSAGES.stream, { index: 1 }),
      session.request(MESSAGES.stream, { index: 2 }),
    ]);
    // The first was answered, if too short.
    expect(outcome[0]).toBeInstanceOf(Error);
    expect(outcome[1]).toBeUndefined();
    expect(peer.requests.filter((frame) => frame.payload[0] === 1 && frame.type === MESSAGES.stream.type)).toHaveLength(
      1,
    );
    await session.close();
  });

  it('ignores answers that nobody waits for', async () => {
    let greeted = false;
    const peer = new PeerTransport((frame, say) => {
      const reply = encodeFrame(frame.type | 0x80, frame.sequence, greeted ? Uint8Array.of(0) : helloPayload());
      greeted = true;
      say(reply);
      say(reply);
    });
    const session = await Session.open(peer, QUICK);
    for (let index = 1; index <= 3; index++) await session.request(MESSAGES.stream, { index });
    expect(session.line.stale).toBeGreaterThanOrEqual(3);
    expect(session.line.retries).toBe(0);
    await session.close();
  });

  it('gives the refusals of the device as errors with expected, got and advice', async () => {
    const { session } = await openRig();
    await expect(session.request(MESSAGES.infer, { input: new Uint8Array(23) })).rejects.toMatchObject({
      code: 'device.length',
      expected: '25 bytes',
      got: '24 bytes',
    });
    await expect(session.request(MESSAGES.infer, { label: 4, input: sample })).rejects.toMatchObject({
      code: 'device.label',
      expected: '4',
      got: '4',
    });
    await expect(session.request(MESSAGES.trace, { layer: 2, from: 0, count: 1, input: sample })).rejects.toMatchObject(
      { code: 'device.range' },
    );
    await expect(session.request(MESSAGES.infer, { input: sample })).resolves.toMatchObject({ labelScore: 0 });
    await session.close();
  });

  it('does not send a request that is longer than the device takes', async () => {
    const { session } = await openRig({ board: { maxPayload: 64 }, image: null });
    await expect(session.request(MESSAGES.infer, { input: new Uint8Array(64) })).rejects.toMatchObject({
      code: 'device.request',
    });
    await session.close();
  });

  it('ends everything under way when the device vanishes', async () => {
    const { board, session } = await openRig();
    const pending = [1, 2, 3].map((index) => session.request(MESSAGES.stream, { index }));
    board.unplug();
    for (const outcome of await Promise.allSettled(pending)) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'device.gone' } });
    }
    await expect(session.request(MESSAGES.status, undefined)).rejects.toMatchObject({ code: 'device.gone' });
    await session.close();
  });

  it('ends everything under way when it is closed, and frees the port', async () => {
    const { board, session } = await openRig();
    const pending = session.request(MESSAGES.status, undefined);
    const outcome = expect(pending).rejects.toMatchObject({ code: 'device.closed' });
    await session.close();
    await outcome;
    for (let n = 0; n < 6; n++) await (await Session.open(await connectSimulated(board))).close();
  });

  it.each([1000, 100])(
    'gets every request answered rightly with a fault per %i bytes',
    async (every) => {
      const { board, session: clean } = await openRig({ board: { maxPayload: 64 } });
      const inputs = Array.from({ length: 400 }, (_, n) => new Uint8Array(MODEL.rawInputs).fill(n % 251));
      const expected = await Promise.all(inputs.map((input) => clean.request(MESSAGES.infer, { label: 1, input })));
      await clean.close();
      const line = new FaultyTransport(await connectSimulated(board), every, 1 / every);
      const session = await Session.open(line, { ...QUICK, openMs: 5000, retries: 50 });
      const got = await Promise.all(inputs.map((input) => session.request(MESSAGES.infer, { label: 1, input })));
      expect(got).toEqual(expected);
      expect(line.faults).toBeGreaterThan(10);
      expect(session.line.retries).toBeGreaterThan(0);
      await session.close();
    },
    30_000,
  );
});
