import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A TCP line to a board that counts what travels on it, whatever either end says of itself. */
export interface CountingProxy {
  /** What to give as `--port`. */
  readonly address: string;
  /** Bytes so far: `up` from the board, `down` to it. */
  readonly bytes: { up: number; down: number };
  close(): Promise<void>;
}

/** @param target address of the board, such as tcp://127.0.0.1:4000 */
export async function countingProxy(target: string): Promise<CountingProxy> {
  const { hostname, port } = new URL(target);
  const bytes = { up: 0, down: 0 };
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (host) => {
    const board = connect({ host: hostname, port: Number(port), noDelay: true });
    const pair = [host, board];
    for (const socket of pair) {
      sockets.add(socket);
      // Its end comes as 'close', which follows every error.
      socket.on('error', () => {});
      socket.on('close', () => {
        for (const end of pair) end.destroy();
      });
    }
    host.on('data', (chunk) => {
      bytes.down += chunk.length;
      board.write(chunk);
    });
    board.on('data', (chunk) => {
      bytes.up += chunk.length;
      host.write(chunk);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`,
    bytes,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
