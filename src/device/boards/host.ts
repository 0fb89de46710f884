import type { Board, Budget } from './board.js';

const MB = 1024 * 1024;

/** The Linux port's own defaults (`goodness-device --help`). */
const LINUX_BUDGET: Budget = {
  arenaBytes: 4 * MB,
  payload: 4096,
  answer: 4096,
  window: 16,
  ahead: 0,
  layers: 8,
  layouts: [],
  links: 4,
  stackBytes: 0,
  fixedBytes: 64 * 1024,
  store: { kind: 'slots', slotBytes: MB },
  farFlash: false,
  persistent: true,
};

/** What the boards that are programs of this or another machine have in common. */
const PROGRAM = {
  ramBytes: undefined,
  flashBytes: undefined,
  regions: [],
  usb: [],
  baud: 115200,
  bootloader: undefined,
  modelBy: 'link',
} as const;

const PI_SHEET = {
  title: 'Raspberry Pi computers: documentation',
  url: 'https://www.raspberrypi.com/documentation/computers/processors.html',
};

/** The Linux port as a process of this machine. */
export const LINUX: Board = {
  ...PROGRAM,
  id: 'linux',
  name: 'Linux process',
  processor: 'that of the machine',
  line: 'a pseudo terminal or TCP',
  budget: LINUX_BUDGET,
  build: { make: ['linux'], output: 'linux/goodness-device', compiler: 'cc' },
  emulator: { program: 'none', machine: 'this machine' },
  verified: 'runs natively',
  datasheets: [],
};

export const PI_ARM64: Board = {
  ...PROGRAM,
  id: 'pi-arm64',
  target: 'linux',
  name: 'Raspberry Pi, 64-bit system',
  processor: 'Cortex-A53 and later, AArch64',
  line: 'TCP, or its serial port through the system',
  budget: LINUX_BUDGET,
  build: { make: ['linux-arm64'], output: 'linux-arm64/goodness-device', compiler: 'aarch64-linux-gnu-gcc' },
  emulator: {
    program: 'qemu-user',
    machine: 'qemu-aarch64-static',
    lacks: 'everything but the processor: system calls are those of this machine',
  },
  verified: 'emulated: the program itself under qemu-aarch64-static; not verified on hardware',
  datasheets: [PI_SHEET],
};

export const PI_ARMHF: Board = {
  ...PROGRAM,
  id: 'pi-armhf',
  target: 'linux',
  name: 'Raspberry Pi, 32-bit system',
  processor: 'ARMv7 and later with NEON, hard float',
  line: 'TCP, or its serial port through the system',
  budget: LINUX_BUDGET,
  build: { make: ['linux-armhf'], output: 'linux-armhf/goodness-device', compiler: 'arm-linux-gnueabihf-gcc' },
  emulator: {
    program: 'qemu-user',
    machine: 'qemu-arm-static',
    lacks: 'everything but the processor: system calls are those of this machine',
  },
  verified: 'emulated: the program itself under qemu-arm-static; not verified on hardware',
  datasheets: [PI_SHEET],
};

/** The core as WebAssembly: `--port sim` and `goodness simulate`. */
export const WASM: Board = {
  ...PROGRAM,
  id: 'wasm',
  name: 'Simulated board (WebAssembly)',
  processor: 'WebAssembly with SIMD',
  line: 'sim, or TCP',
  budget: {
    arenaBytes: MB,
    payload: 8192,
    answer: 8192,
    window: 16,
    ahead: 0,
    layers: 8,
    layouts: [],
    links: 4,
    stackBytes: 0,
    fixedBytes: 0,
    store: { kind: 'slots', slotBytes: MB },
    farFlash: false,
    persistent: true,
  },
  build: undefined,
  emulator: { program: 'none', machine: 'this process' },
  verified: 'runs in this process',
  datasheets: [],
};
