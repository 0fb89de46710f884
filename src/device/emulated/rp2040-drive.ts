import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** What the boot ROM of the RP2040 writes on its drive. */
const INFO = 'UF2 Bootloader v3.0\r\nModel: Raspberry Pi RP2\r\nBoard-ID: RPI-RP2\r\n';
const INDEX = '<html><body>Not a real drive: the emulated boot ROM of an RP2040.</body></html>\r\n';

const BLOCK = 512;
const SECTOR = 4096;
const PAGE = 256;
const FLASH_BASE = 0x10000000;
const FLASH_END = 0x11000000;
const FAMILY = 0xe48bff56;
/** Blocks in a row for which the ROM erases once. */
const GROUP = 16;

/**
 * The drive RPI-RP2 as a folder: takes UF2 blocks as the boot ROM takes them (RP2040 datasheet 2.8.4, and
 * raspberrypi/pico-bootrom-rp2040 issue 19): whatever isn't a block for this processor is passed over; the sector of the first block
 * of each 16, counted by block number, is erased, and no other; pages are written over what is there. When it has every block, the
 * drive goes away.
 */
export class Rp2040Drive {
  private readonly folder: string;
  private readonly flash: Uint8Array;
  private readonly sizes = new Map<string, number>();
  private readonly erased = new Set<number>();
  private readonly taken = new Set<number>();

  /** @param folder made, and removed when the drive goes away: it must not exist */
  constructor(folder: string, flash: Uint8Array) {
    this.folder = folder;
    this.flash = flash;
    mkdirSync(dirname(folder), { recursive: true });
    mkdirSync(folder);
    writeFileSync(join(folder, 'INDEX.HTM'), INDEX);
    writeFileSync(join(folder, 'INFO_UF2.TXT'), INFO);
  }

  /** Takes what was written since. True when all blocks of a file are there: the board restarts. */
  poll(): boolean {
    for (const name of readdirSync(this.folder)) {
      const bytes = readFileSync(join(this.folder, name));
      const from = this.sizes.get(name) ?? 0;
      const whole = bytes.length - (bytes.length % BLOCK);
      this.sizes.set(name, whole);
      for (let at = from; at < whole; at += BLOCK) {
        if (this.take(new DataView(bytes.buffer, bytes.byteOffset + at, BLOCK))) {
          this.remove();
          return true;
        }
      }
    }
    return false;
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** True for the block that completes a file. */
  private take(block: DataView): boolean {
    const word = (at: number): number => block.getUint32(at, true);
    if (word(0) !== 0x0a324655 || word(4) !== 0x9e5d5157 || word(508) !== 0x0ab16f30) return false;
    const [flags, address, size, number, count] = [word(8), word(12), word(16), word(20), word(24)];
    const fits = (flags & 0x2001) === 0x2000 && word(28) === FAMILY && size === PAGE && address % PAGE === 0;
    if (!fits || address < FLASH_BASE || address >= FLASH_END || number >= count) return false;
    const at = (address - FLASH_BASE) % this.flash.length;
    const group = Math.floor(number / GROUP);
    if (!this.erased.has(group)) {
      this.erased.add(group);
      const sector = at - (at % SECTOR);
      this.flash.fill(0xff, sector, sector + SECTOR);
    }
    for (let i = 0; i < PAGE; i++) this.flash[at + i]! &= block.getUint8(32 + i);
    this.taken.add(number);
    return this.taken.size === count;
  }
}
