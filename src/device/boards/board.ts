/** Names of the boards, as in `--board` and in `make BOARD=...`. */
export const BOARD_IDS = [
  'mps2-an386',
  'mps3-an547',
  'stm32f405',
  'pico',
  'microbit',
  'uno',
  'mega',
  'pi-arm64',
  'pi-armhf',
  'linux',
  'wasm',
  'esp32',
] as const;

export type BoardId = (typeof BOARD_IDS)[number];

/** What plugs into USB when this board is plugged in. */
export interface UsbId {
  /** Vendor, four hexadecimal digits in lower case. */
  readonly vendor: string;
  /** Product, likewise. */
  readonly product: string;
  /** What it says it is. */
  readonly name: string;
  /** Whether nothing but this board has it. A converter chip sits on boards of many kinds, so it names a candidate at most. */
  readonly own: boolean;
}

/** A stretch of flash or EEPROM, by what our firmware keeps there. */
export interface FlashRegion {
  readonly use: 'bootloader' | 'firmware' | 'upload' | 'model' | 'saved' | 'free';
  /** As the processor or the bootloader counts: from the start of the EEPROM for `memory: 'eeprom'`. */
  readonly address: number;
  readonly bytes: number;
  readonly memory: 'flash' | 'eeprom';
}

/** How a bootloader is spoken to, and what it must know of the chip. `bauds` are tried in order. */
export type BootloaderFacts =
  | {
      readonly protocol: 'stk500v1' | 'stk500v2';
      /** Three bytes that the chip answers with. */
      readonly signature: readonly [number, number, number];
      readonly pageBytes: number;
      readonly flashBytes: number;
      /** Section at the end of the flash that the bootloader itself takes. */
      readonly bootBytes: number;
      readonly bauds: readonly number[];
    }
  | {
      readonly protocol: 'smp';
      readonly bauds: readonly number[];
      /** Bytes of MCUboot's header in front of firmware. */
      readonly headerBytes: number;
    }
  | {
      readonly protocol: 'stm32';
      readonly bauds: readonly number[];
      /** Product ids of GET_ID (AN2606) that the image may go to. */
      readonly chips: readonly number[];
    }
  | { readonly protocol: 'uf2'; readonly family: number; readonly label: string }
  | { readonly protocol: 'esp32'; readonly chip: string; readonly bauds: readonly number[] };

export type BootloaderProtocol = BootloaderFacts['protocol'];

/**
 * What our firmware on this board has for a model. These are facts about `firmware/ports/<board>`: HELLO says arena, payload
 * and slot again, and a test compares.
 */
export interface Budget {
  /** RAM for the model, inference, learning and class statistics, in bytes. */
  readonly arenaBytes: number;
  /** Most payload of a request in bytes: a sample and 5 bytes must fit. */
  readonly payload: number;
  /** The same of an answer. */
  readonly answer: number;
  /** Requests of any length that may be on their way to the board at once. */
  readonly window: number;
  /** Bytes of further requests that its receive ring has room for while it works on one. */
  readonly ahead: number;
  /** Layers that the build holds (FF_MAX_LAYERS). */
  readonly layers: number;
  /** Layouts of weights, by tag, that its kernels want beside columns, which every build takes. */
  readonly layouts: readonly number[];
  /** Links, each with a buffer of its own. */
  readonly links: number;
  /** RAM kept free for the stack, in bytes; 0 where an operating system gives it. */
  readonly stackBytes: number;
  /** RAM of contexts, receive ring and patch stage beside arena, link buffer and stack, in bytes, at most. */
  readonly fixedBytes: number;
  /**
   * Where a model lies. `slots`: two slots for whole images, `slotBytes` each with the 32 bytes of header, written by the board
   * itself. `records`: the image comes with the firmware into `imageBytes` of program flash, header included, and the board
   * saves only what it learned, into two slots of `slotBytes` of EEPROM.
   */
  readonly store:
    | { readonly kind: 'slots'; readonly slotBytes: number }
    | { readonly kind: 'records'; readonly slotBytes: number; readonly imageBytes: number };
  /** Flash and EEPROM are no part of the data address space: the state is copied to RAM even when nothing learns. */
  readonly farFlash: boolean;
  /** The store survives a power cut. */
  readonly persistent: boolean;
}

/** How the firmware of a board is made. */
export interface FirmwareBuild {
  /** Words for `make -C firmware`. */
  readonly make: readonly string[];
  /** What it makes, in the folder build/. */
  readonly output: string;
  /** What a board that has nothing of ours is given by other means, such as drag and drop: bootloader and firmware in one .hex file. */
  readonly first?: {
    readonly output: string;
    /** The parts, as binaries in build/. */
    readonly boot: string;
    readonly firmware: string;
  };
  readonly compiler: string;
}

/** A program of this machine that runs the firmware of a board. */
export interface EmulatorFacts {
  readonly program: 'qemu' | 'simavr' | 'rp2040js' | 'qemu-user' | 'none';
  /** What the emulator calls the board. */
  readonly machine: string;
  /** What of the real board it does not have. */
  readonly lacks?: string;
}

export interface Board {
  readonly id: BoardId;
  readonly name: string;
  /** What its firmware calls itself in HELLO; the id if left out. */
  readonly target?: string;
  readonly processor: string;
  /** RAM of the chip in bytes; undefined where an operating system hands it out. */
  readonly ramBytes: number | undefined;
  readonly flashBytes: number | undefined;
  readonly eepromBytes?: number;
  readonly regions: readonly FlashRegion[];
  readonly usb: readonly UsbId[];
  /** Bits per second of the link to our firmware. */
  readonly baud: number;
  /**
   * Time in ms in which nothing may be sent after the port was opened: its bootloader, into which opening resets the board, stays
   * for as long as bytes keep coming. None if left out.
   */
  readonly quietMs?: number;
  /** Which pins the link is on, and what else is needed to reach them. */
  readonly line: string;
  readonly bootloader: BootloaderFacts | undefined;
  /** Who puts a model there: the board itself, sent over the link, or the bootloader, together with the firmware. */
  readonly modelBy: 'link' | 'bootloader';
  /** What a person does before the bootloader listens; undefined where the host can bring it about. */
  readonly byHand?: string;
  /** Undefined: there is no firmware of ours for this board. */
  readonly budget: Budget | undefined;
  readonly build: FirmwareBuild | undefined;
  readonly emulator: EmulatorFacts | undefined;
  /** What was tried, and what wasn't. */
  readonly verified: string;
  readonly datasheets: readonly { readonly title: string; readonly url: string }[];
}

/** What hasn't met a real board yet says so in these words. */
export const NOT_ON_HARDWARE = 'not verified on hardware';
