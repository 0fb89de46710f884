/** Something on this machine that a part of Goodness uses where it is there. */
export interface Tool {
  readonly name: string;
  /** Found as a program, a file or an npm package. */
  readonly program?: string;
  readonly file?: string;
  readonly module?: string;
  /** Systems where it makes sense, as process.platform; all if left out. */
  readonly platforms?: readonly string[];
  readonly use: string;
  /** Packages that bring it, by package manager. */
  readonly apt?: string;
  readonly dnf?: string;
  readonly brew?: string;
  readonly windows?: string;
  readonly npm?: string;
}

/** Nothing of this is needed to train, to flash what the package brings, or to learn: only to build and to emulate. */
export const TOOLS: readonly Tool[] = [
  {
    name: 'make',
    program: 'make',
    use: 'building firmware',
    apt: 'make',
    dnf: 'make',
    brew: 'make',
    windows: 'winget install ezwinports.make',
  },
  {
    name: 'C compiler',
    program: 'cc',
    platforms: ['linux', 'darwin'],
    use: 'the Linux port and tests of the core',
    apt: 'gcc libc6-dev',
    dnf: 'gcc',
    brew: 'gcc',
  },
  {
    name: 'Arm compiler',
    program: 'arm-none-eabi-gcc',
    use: 'building firmware for mps2-an386, mps3-an547, stm32f405, pico, microbit',
    apt: 'gcc-arm-none-eabi libnewlib-arm-none-eabi',
    dnf: 'arm-none-eabi-gcc-cs arm-none-eabi-newlib',
    brew: '--cask gcc-arm-embedded',
    windows: 'winget install Arm.GnuArmEmbeddedToolchain',
  },
  {
    name: 'AVR compiler',
    program: 'avr-gcc',
    use: 'building firmware for uno, mega',
    apt: 'gcc-avr binutils-avr avr-libc',
    dnf: 'avr-gcc avr-binutils avr-libc',
    brew: 'osx-cross/avr/avr-gcc',
    windows: 'winget install ZakKemble.avr-gcc',
  },
  {
    name: 'Raspberry Pi compiler, 64 bits',
    program: 'aarch64-linux-gnu-gcc',
    platforms: ['linux'],
    use: 'building for pi-arm64',
    apt: 'gcc-aarch64-linux-gnu libc6-dev-arm64-cross',
    dnf: 'gcc-aarch64-linux-gnu',
  },
  {
    name: 'Raspberry Pi compiler, 32 bits',
    program: 'arm-linux-gnueabihf-gcc',
    platforms: ['linux'],
    use: 'building for pi-armhf',
    apt: 'gcc-arm-linux-gnueabihf libc6-dev-armhf-cross',
  },
  {
    name: 'QEMU, Arm boards',
    program: 'qemu-system-arm',
    use: 'emulating mps2-an386, mps3-an547, stm32f405, microbit',
    apt: 'qemu-system-arm',
    dnf: 'qemu-system-arm',
    brew: 'qemu',
    windows: 'winget install SoftwareFreedomConservancy.QEMU',
  },
  {
    name: 'QEMU, programs of other processors',
    program: 'qemu-aarch64-static',
    platforms: ['linux'],
    use: 'emulating pi-arm64, pi-armhf',
    apt: 'qemu-user-static',
    dnf: 'qemu-user-static',
  },
  {
    name: 'simavr',
    file: '/usr/include/simavr/sim_avr.h',
    platforms: ['linux'],
    use: 'emulating uno, mega',
    apt: 'libsimavr-dev libelf-dev',
    dnf: 'simavr-devel elfutils-libelf-devel',
  },
  { name: 'rp2040js', module: 'rp2040js', use: 'emulating pico', npm: 'rp2040js' },
  {
    name: 'tfjs-tflite',
    module: '@tensorflow/tfjs-tflite',
    use: 'TensorFlow Lite models',
    npm: '@tensorflow/tfjs-tflite@0.0.1-alpha.10',
  },
  { name: 'johnny-five', module: 'johnny-five', use: 'sensors over Firmata', npm: 'johnny-five firmata-io' },
];

/** The command that installs a tool on a system, or undefined where none is known. */
export function installCommand(tool: Tool, platform: string, distribution: readonly string[]): string | undefined {
  if (tool.npm !== undefined) return `npm install ${tool.npm}`;
  if (platform === 'darwin') return tool.brew && `brew install ${tool.brew}`;
  if (platform === 'win32') return tool.windows;
  if (distribution.some((id) => id === 'fedora' || id === 'rhel')) return tool.dnf && `sudo dnf install ${tool.dnf}`;
  return tool.apt && `sudo apt install ${tool.apt}`;
}
