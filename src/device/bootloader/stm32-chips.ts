import { GoodnessError } from '../../base/errors.js';

/** Sectors of one size that follow each other. */
export interface SectorRun {
  readonly count: number;
  /** Bytes of one sector. */
  readonly bytes: number;
}

/** What the bootloader must know of a line of chips. */
export interface Stm32Chip {
  /** Product id that the bootloader gives (AN2606, table of the device-dependent parameters). */
  readonly id: number;
  readonly name: string;
  /** Address of the flash's first byte. */
  readonly start: number;
  /** From the first sector on, as the erase command counts them; for the largest member of the line. */
  readonly sectors: readonly SectorRun[];
}

/** One sector: its number in the erase command, and where it lies. */
export interface Sector {
  readonly index: number;
  readonly address: number;
  readonly bytes: number;
}

const KB = 1024;
const FLASH = 0x08000000;

/** A line with pages of one size. */
export function pagedChip(id: number, name: string, pageBytes: number, flashBytes: number): Stm32Chip {
  return { id, name, start: FLASH, sectors: [{ count: flashBytes / pageBytes, bytes: pageBytes }] };
}

/** The F4 lines with one bank: four sectors of 16 KB, one of 64 KB, and then `large` of 128 KB (RM0090, section 3.4). */
function f4(id: number, name: string, large: number): Stm32Chip {
  const sectors = [
    { count: 4, bytes: 16 * KB },
    { count: 1, bytes: 64 * KB },
    { count: large, bytes: 128 * KB },
  ];
  return { id, name, start: FLASH, sectors };
}

/** STM32F405, 407, 415 and 417: 1 MB in 12 sectors. */
export const STM32F405: Stm32Chip = f4(0x413, 'STM32F405/407/415/417', 7);

/**
 * Lines whose flash is one bank, or counted as one. Sizes are those of the largest member: a smaller one refuses what lies
 * beyond its end. Sector tables are those of the reference manuals (flash memory organization).
 */
export const STM32_CHIPS: readonly Stm32Chip[] = [
  STM32F405,
  f4(0x423, 'STM32F401xB/C', 1),
  f4(0x433, 'STM32F401xD/E', 3),
  f4(0x431, 'STM32F411', 3),
  f4(0x421, 'STM32F446', 3),
  f4(0x441, 'STM32F412', 7),
  pagedChip(0x412, 'STM32F10x low density', KB, 32 * KB),
  pagedChip(0x410, 'STM32F10x medium density', KB, 128 * KB),
  pagedChip(0x414, 'STM32F10x high density', 2 * KB, 512 * KB),
  pagedChip(0x418, 'STM32F105/107', 2 * KB, 256 * KB),
  pagedChip(0x420, 'STM32F100 medium density', KB, 128 * KB),
  pagedChip(0x444, 'STM32F03x', KB, 32 * KB),
  pagedChip(0x440, 'STM32F05x', KB, 64 * KB),
  pagedChip(0x448, 'STM32F07x', 2 * KB, 128 * KB),
  pagedChip(0x442, 'STM32F09x', 2 * KB, 256 * KB),
  pagedChip(0x422, 'STM32F302xB/C, F303xB/C', 2 * KB, 256 * KB),
  pagedChip(0x446, 'STM32F302xD/E, F303xD/E', 2 * KB, 512 * KB),
];

/**
 * The line of chips with this product id.
 * @throws GoodnessError `bootloader.chip`
 */
export function knownChip(id: number): Stm32Chip {
  const chip = STM32_CHIPS.find((c) => c.id === id);
  if (chip !== undefined) return chip;
  throw new GoodnessError('bootloader.chip', `there is no sector table for the STM32 with product id ${chipId(id)}`, {
    expected: STM32_CHIPS.map((c) => chipId(c.id)).join(', '),
    fix: 'Give the chip with its sectors instead of its product id.',
  });
}

/** All sectors of a chip, in order. */
export function sectorsOf(chip: Stm32Chip): Sector[] {
  const all: Sector[] = [];
  let address = chip.start;
  for (const run of chip.sectors) {
    for (let i = 0; i < run.count; i++) {
      all.push({ index: all.length, address, bytes: run.bytes });
      address += run.bytes;
    }
  }
  return all;
}

/** First address behind a chip's flash. */
export function endOf(chip: Stm32Chip): number {
  return chip.sectors.reduce((end, run) => end + run.count * run.bytes, chip.start);
}

/** `0x413`, for messages. */
export function chipId(id: number): string {
  return `0x${id.toString(16).padStart(3, '0')}`;
}
