import { type FlashStore, flashFile } from '../flash-file.js';
import { SimulatedBoard } from '../simulated-board.js';
import { serveTcp, type TcpBoard } from '../tcp-server.js';
import type { EmulatedBoard } from './emulated-board.js';

export interface SimulatedOptions {
  /** File that its flash is kept in; in memory if left out. */
  readonly store?: string;
}

/** The core as WebAssembly in this process, reached over TCP like a board of its own. */
export async function startSimulated({ store }: SimulatedOptions = {}): Promise<EmulatedBoard> {
  const flash = store === undefined ? memoryFlash() : flashFile(store);
  let server = await powerOn(flash, 0);
  const port = Number(server.address.split(':').at(-1));
  let tellEnd: (said: string) => void = () => {};
  const ended = new Promise<string>((resolve) => {
    tellEnd = resolve;
  });
  return {
    address: server.address,
    ended,
    reset: async () => {
      await server.close();
      server = await powerOn(flash, port);
    },
    close: async () => {
      await server.close();
      tellEnd('it was closed');
    },
  };
}

async function powerOn(flash: FlashStore, port: number): Promise<TcpBoard> {
  return serveTcp(await SimulatedBoard.start({}, flash), port);
}

function memoryFlash(): FlashStore {
  let kept: Uint8Array | undefined;
  return {
    load: () => kept,
    save: (flash) => {
      kept = flash.slice();
    },
  };
}
