import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type NativeBoard, startNativeBoard } from '../native-board.js';
import type { EmulatedBoard } from './emulated-board.js';

/** Processors of Raspberry Pi systems: of 64 bits, or of 32 with hard float. */
export type PiArchitecture = 'arm64' | 'armhf';

export interface PiOptions {
  /** `build/linux-arm64/goodness-device` or `build/linux-armhf/goodness-device` of `make -C firmware linux-arm64 linux-armhf`. */
  readonly program: string;
  /** File for the flash; left out, it is a new one that goes with the board. */
  readonly store?: string;
}

const RUNNERS: Readonly<Record<PiArchitecture, string>> = {
  arm64: 'qemu-aarch64-static',
  armhf: 'qemu-arm-static',
};

/**
 * Starts the program for Raspberry Pi on QEMU's emulation of its processor; system calls are those of this machine. It serves TCP, on
 * one port for as long as it is not closed. A reset kills it and starts it again on its store.
 * @throws GoodnessError `emulator.missing`, `native.start`
 */
export async function startPi(architecture: PiArchitecture, { program, store }: PiOptions): Promise<EmulatedBoard> {
  const folder = store === undefined ? mkdtempSync(join(tmpdir(), 'goodness-pi-')) : undefined;
  const file = store ?? join(folder!, 'flash.bin');
  const discard = (): void => {
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  };
  const powerOn = (tcp: number): Promise<NativeBoard> =>
    startNativeBoard({ program, runner: [RUNNERS[architecture]], tcp, store: file });
  let report: (why: string) => void = () => {};
  const ended = new Promise<string>((resolve) => {
    report = resolve;
  });
  let board: NativeBoard;
  let restarting = false;
  const watch = (one: NativeBoard): NativeBoard => {
    void one.ended.then((why) => {
      if (!restarting) report(why);
    });
    return one;
  };
  try {
    board = watch(await powerOn(0));
  } catch (error) {
    discard();
    throw error;
  }
  const { address } = board;
  const port = Number(new URL(address).port);
  return {
    address,
    ended,
    reset: async () => {
      restarting = true;
      await board.close();
      try {
        board = watch(await powerOn(port));
      } catch (error) {
        report(error instanceof Error ? error.message : String(error));
        throw error;
      } finally {
        restarting = false;
      }
    },
    close: async () => {
      await board.close();
      discard();
    },
  };
}
