import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { crc16, encodeSmpLines, SmpLineDecoder } from '../../src/device/bootloader/smp-line.js';

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1');
const ascii = (s: string) => new Uint8Array(Buffer.from(s, 'latin1'));

function decodeAll(decoder: SmpLineDecoder, bytes: Uint8Array): Uint8Array[] {
  return [...bytes].map((byte) => decoder.push(byte)).filter((packet) => packet !== undefined);
}

const packets = fc.uint8Array({ minLength: 1, maxLength: 700 });

describe('SMP on a serial line', () => {
  it('has the CRC-16 of XMODEM', () => {
    expect(crc16(ascii('123456789'))).toBe(0x31c3);
    expect(crc16(new Uint8Array(0))).toBe(0);
  });

  it('frames as the documentation of smp shows', () => {
    expect(text(encodeSmpLines(ascii('Hello, world!')))).toBe('\x06\x09AA9IZWxsbywgd29ybGQhet4=\n');
  });

  it('sends lines of at most 127 bytes, whole groups of base64 in each, and reads them back', () => {
    fc.assert(
      fc.property(packets, (packet) => {
        const sent = encodeSmpLines(packet);
        const lines = text(sent).split('\n').slice(0, -1);
        lines.forEach((line, n) => {
          expect(line.length).toBeLessThan(127);
          expect(line.length % 4).toBe(2);
          expect(line.slice(0, 2)).toBe(n === 0 ? '\x06\x09' : '\x04\x14');
        });
        expect(decodeAll(new SmpLineDecoder(), sent)).toEqual([packet]);
      }),
    );
  });

  it('finds packets between a log and broken lines, however long', () => {
    fc.assert(
      fc.property(packets, fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 4 }), (packet, noise) => {
        const decoder = new SmpLineDecoder();
        for (const bytes of noise) decodeAll(decoder, bytes);
        expect(decodeAll(decoder, encodeSmpLines(packet)).at(-1)).toEqual(packet);
      }),
    );
  });

  it('takes carriage returns before line feeds', () => {
    const sent = ascii(text(encodeSmpLines(ascii('x'.repeat(200)))).replaceAll('\n', '\r\n'));
    expect(decodeAll(new SmpLineDecoder(), sent)).toHaveLength(1);
  });

  it('drops a packet with a flipped bit, or says the same as before', () => {
    fc.assert(
      fc.property(packets, fc.nat(), fc.nat(7), (packet, place, bit) => {
        const sent = encodeSmpLines(packet);
        sent[place % sent.length]! ^= 1 << bit;
        // Bits behind the last byte in a group of base64 mean nothing.
        for (const got of decodeAll(new SmpLineDecoder(), sent)) expect(got).toEqual(packet);
      }),
    );
  });

  it('drops a packet whose middle line is missing, and counts it', () => {
    const lines = text(encodeSmpLines(new Uint8Array(300).fill(7))).split('\n');
    const decoder = new SmpLineDecoder();
    expect(decodeAll(decoder, ascii([lines[0], ...lines.slice(2)].join('\n')))).toEqual([]);
    expect(decodeAll(decoder, encodeSmpLines(ascii('next')))).toEqual([ascii('next')]);
    expect(decoder.dropped).toBe(0);
    expect(decodeAll(decoder, ascii('\x06\x09AAB*\n\x06\x09AAVIZWxs\n\x06\x09AAAA\n'))).toEqual([]);
    expect(decoder.dropped).toBeGreaterThan(0);
  });
});
