// Pads the second boot stage to 252 bytes and appends the CRC-32 that the boot ROM checks: polynomial 0x04C11DB7, most
// significant bit first, start 0xFFFFFFFF, nothing inverted at the end (RP2040 datasheet 2.8.1.3.1).
//   node checksum.mjs boot2.bin boot2-checked.S
import { readFileSync, writeFileSync } from 'node:fs';

const ROOM = 252;
const [from, to] = process.argv.slice(2);
const code = readFileSync(from);
if (code.length === 0 || code.length > ROOM) {
  console.error(`${from}: expected 1 to ${ROOM} bytes, got ${code.length}`);
  process.exit(1);
}
const bytes = Buffer.alloc(ROOM + 4);
code.copy(bytes);
let crc = 0xffffffff;
for (const byte of bytes.subarray(0, ROOM)) {
  crc ^= byte << 24;
  for (let bit = 0; bit < 8; bit++) crc = crc & 0x80000000 ? (crc << 1) ^ 0x04c11db7 : crc << 1;
}
bytes.writeUInt32LE(crc >>> 0, ROOM);
writeFileSync(to, `        .section .boot2, "a"\n        .byte ${[...bytes].join(', ')}\n`);
