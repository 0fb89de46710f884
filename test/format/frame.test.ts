import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CobsDecoder, cobsBound, cobsEncode } from '../../src/format/cobs.js';
import { encodeFrame, type Frame, FrameDecoder, type FrameDrop, frameBound } from '../../src/format/frame.js';

function stuff(bytes: Uint8Array): Uint8Array {
  const target = new Uint8Array(cobsBound(bytes.length));
  return target.subarray(0, cobsEncode(bytes, target));
}

function feed(decoder: FrameDecoder, bytes: Uint8Array): { frames: Frame[]; drops: FrameDrop[] } {
  const frames: Frame[] = [];
  const drops: FrameDrop[] = [];
  decoder.push(
    bytes,
    (f) => frames.push(f),
    (r) => drops.push(r),
  );
  return { frames, drops };
}

/** Bytes with many zeros, and long runs without any. */
const payloads = fc.oneof(
  fc.uint8Array({ maxLength: 40 }),
  fc.array(fc.constantFrom(0, 1, 255), { maxLength: 60 }).map((a) => Uint8Array.from(a)),
  fc.integer({ min: 250, max: 520 }).map((n) => new Uint8Array(n).fill(7)),
  fc.tuple(fc.integer({ min: 252, max: 256 }), fc.integer({ min: 0, max: 256 })).map(([n, z]) => {
    const bytes = new Uint8Array(n).fill(9);
    if (z < n) bytes[z] = 0;
    return bytes;
  }),
);

describe('cobs', () => {
  it('gives the published examples', () => {
    const run = Uint8Array.from({ length: 254 }, (_, i) => i + 1);
    expect([...stuff(Uint8Array.of())]).toEqual([1]);
    expect([...stuff(Uint8Array.of(0))]).toEqual([1, 1]);
    expect([...stuff(Uint8Array.of(0, 0))]).toEqual([1, 1, 1]);
    expect([...stuff(Uint8Array.of(0x11, 0x22, 0, 0x33))]).toEqual([3, 0x11, 0x22, 2, 0x33]);
    expect([...stuff(run)]).toEqual([255, ...run]);
    expect([...stuff(Uint8Array.of(0, ...run))]).toEqual([1, 255, ...run]);
    expect([...stuff(Uint8Array.of(...run, 255))]).toEqual([255, ...run, 2, 255]);
    expect([...stuff(Uint8Array.of(...run.subarray(1), 255, 0))]).toEqual([255, ...run.subarray(1), 255, 1, 1]);
  });

  it('holds no zero, stays within its bound, and decodes to what it was made of', () => {
    fc.assert(
      fc.property(payloads, (bytes) => {
        const wire = stuff(bytes);
        expect(wire.includes(0)).toBe(false);
        expect(wire.length).toBeLessThanOrEqual(cobsBound(bytes.length));
        const got: number[][] = [];
        const decoder = new CobsDecoder(bytes.length);
        decoder.push(
          Uint8Array.of(...wire, 0),
          (f) => got.push([...f]),
          (r) => got.push([r.length]),
        );
        expect(got).toEqual([[...bytes]]);
      }),
    );
  });

  it('drops a block that ends early as invalid', () => {
    const drops: string[] = [];
    new CobsDecoder(10).push(
      Uint8Array.of(5, 1, 2, 0),
      () => drops.push('frame'),
      (r) => drops.push(r),
    );
    expect(drops).toEqual(['invalid']);
  });
});

describe('frames', () => {
  it('come back from any chopping of the stream, in order', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(255), fc.nat(255), payloads), { maxLength: 4 }),
        fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 10 }),
        (messages, cuts) => {
          const wire = Uint8Array.from(messages.flatMap(([type, seq, p]) => [...encodeFrame(type, seq, p)]));
          const decoder = new FrameDecoder(600);
          const frames: Frame[] = [];
          for (let at = 0, k = 0; at < wire.length; k++) {
            const n = cuts[k % cuts.length]!;
            frames.push(...feed(decoder, wire.subarray(at, at + n)).frames);
            at += n;
          }
          expect(frames.map((f) => [f.type, f.sequence, [...f.payload]])).toEqual(
            messages.map(([type, seq, p]) => [type, seq, [...p]]),
          );
          expect(decoder.dropped).toBe(0);
        },
      ),
    );
  });

  it('stay within their bound on the wire', () => {
    for (const n of [0, 1, 247, 248, 249, 250, 1000]) {
      expect(encodeFrame(255, 255, new Uint8Array(n).fill(1)).length).toBeLessThanOrEqual(frameBound(n));
    }
  });

  it('are dropped, and never taken for another frame, when any byte is changed', () => {
    fc.assert(
      fc.property(payloads, fc.nat(), fc.integer({ min: 1, max: 255 }), (payload, place, change) => {
        const good = encodeFrame(0x22, 7, payload);
        const bad = good.slice();
        const at = place % (good.length - 1);
        bad[at] = bad[at]! ^ change;
        const { frames } = feed(new FrameDecoder(600), bad);
        expect(frames).toEqual([]);
      }),
    );
  });

  it('that are too long are dropped whole, and the next one is taken', () => {
    const decoder = new FrameDecoder(4);
    const { frames, drops } = feed(
      decoder,
      Uint8Array.of(
        ...encodeFrame(1, 1, new Uint8Array(2000).fill(3)),
        ...encodeFrame(2, 2, Uint8Array.of(1, 2, 3, 4)),
      ),
    );
    expect(drops).toEqual(['length']);
    expect(frames.map((f) => f.type)).toEqual([2]);
    expect(decoder.dropped).toBe(1);
  });

  it('that are empty are ignored, so that zeros flush garbage', () => {
    const decoder = new FrameDecoder(8);
    const { frames, drops } = feed(
      decoder,
      Uint8Array.of(0, 0, 0, 0x41, 0x54, 0x0d, 0, 0, ...encodeFrame(1, 2, Uint8Array.of(3))),
    );
    expect(drops).toHaveLength(1);
    expect(frames).toEqual([{ type: 1, sequence: 2, payload: Uint8Array.of(3) }]);
  });

  it('that are shorter than a frame can be are dropped', () => {
    expect(feed(new FrameDecoder(8), Uint8Array.of(4, 1, 2, 3, 0)).drops).toEqual(['short']);
  });

  it('refuse types and sequence numbers of more than a byte', () => {
    expect(() => encodeFrame(256, 0, new Uint8Array(0))).toThrow(expect.objectContaining({ code: 'frame.field' }));
    expect(() => encodeFrame(0, -1, new Uint8Array(0))).toThrow(expect.objectContaining({ code: 'frame.field' }));
  });

  it('forget what has begun on reset', () => {
    const decoder = new FrameDecoder(8);
    feed(decoder, Uint8Array.of(9, 1, 2));
    decoder.reset();
    expect(feed(decoder, encodeFrame(1, 2, new Uint8Array(0))).frames).toHaveLength(1);
  });
});
