/**
 * SMP over a serial line, as MCUmgr frames it (docs.zephyrproject.org, "SMP over console"): lines of base64 that begin with 06 09,
 * or 04 14 where they go on, and end with a line feed. Inside: length of the rest, packet, CRC-16/XMODEM; both numbers big-endian.
 */

/** Bytes of a line, marker and line feed included. */
const LINE = 127;
/** Base64 digits in a line: whole groups of 4. */
const DIGITS = 4 * Math.floor((LINE - 3) / 4);
const FIRST = [6, 9] as const;
const NEXT = [4, 20] as const;
const LINE_FEED = 10;
const RETURN = 13;
/** Bytes around a packet: length and CRC. */
const AROUND = 4;
const MOST_PACKET = 65535 - 2;

/** Lines that carry a packet, one behind the other. */
export function encodeSmpLines(packet: Uint8Array): Uint8Array {
  if (packet.length > MOST_PACKET) throw new RangeError(`an SMP packet has at most ${MOST_PACKET} bytes`);
  const inner = Buffer.alloc(packet.length + AROUND);
  inner.writeUInt16BE(packet.length + 2, 0);
  inner.set(packet, 2);
  inner.writeUInt16BE(crc16(packet), packet.length + 2);
  const digits = inner.toString('base64');
  const lines: Buffer[] = [];
  for (let at = 0; at < digits.length; at += DIGITS) {
    lines.push(Buffer.from(at === 0 ? FIRST : NEXT), Buffer.from(`${digits.slice(at, at + DIGITS)}\n`, 'latin1'));
  }
  return new Uint8Array(Buffer.concat(lines));
}

/** Finds packets in what a board sends. Other output between them, such as a log, is passed over. */
export class SmpLineDecoder {
  /** Packets whose length or CRC was wrong, and lines that are no base64. */
  dropped = 0;
  private line: number[] = [];
  private packet: number[] = [];
  private open = false;

  /** Takes one byte; returns the packet that it completes. */
  push(byte: number): Uint8Array | undefined {
    const { line } = this;
    if (byte !== LINE_FEED) {
      // A marker begins a line wherever it comes: what stood before it wasn't for us.
      if (byte === FIRST[0] || byte === NEXT[0]) line.length = 0;
      if (line.length < LINE * 16) line.push(byte);
      return undefined;
    }
    this.line = [];
    if (line.at(-1) === RETURN) line.pop();
    if (line[0] === FIRST[0] && line[1] === FIRST[1]) {
      this.packet = [];
      this.open = true;
    } else if (line[0] !== NEXT[0] || line[1] !== NEXT[1] || !this.open) {
      return undefined;
    }
    return this.append(String.fromCharCode(...line.slice(2)));
  }

  private append(digits: string): Uint8Array | undefined {
    if (digits.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(digits)) return this.drop();
    this.packet.push(...Buffer.from(digits, 'base64'));
    if (this.packet.length < 2) return this.drop();
    const inner = Uint8Array.from(this.packet);
    const want = 2 + ((inner[0]! << 8) | inner[1]!);
    if (inner.length < want) return undefined;
    // The CRC of a message with its own CRC behind it is 0.
    if (inner.length > want || want < AROUND || crc16(inner.subarray(2)) !== 0) return this.drop();
    this.open = false;
    return inner.slice(2, -2);
  }

  private drop(): undefined {
    this.open = false;
    this.dropped++;
    return undefined;
  }
}

/** CRC-16/XMODEM: polynomial 0x1021, starts with 0; "123456789" gives 0x31C3. */
export function crc16(bytes: Uint8Array): number {
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte << 8;
    for (let i = 0; i < 8; i++) crc = crc & 0x8000 ? ((crc << 1) ^ 0x1021) & 0xffff : crc << 1;
  }
  return crc;
}
