import { createServer, type Server, type Socket } from 'node:net';
import { GoodnessError } from '../base/errors.js';
import type { SimulatedBoard } from './simulated-board.js';

/** A simulated board that is reached over TCP. */
export interface TcpBoard {
  /** What to give as `--port`. */
  readonly address: string;
  /** Closes the server and all connections. */
  close(): Promise<void>;
}

/** What happens to clients, for whoever wants to tell. */
export interface TcpBoardEvents {
  onConnect?(client: string): void;
  onDisconnect?(client: string): void;
  /** All lines of the board are taken. */
  onRefuse?(client: string): void;
}

/**
 * Serves a board to as many clients at once as it has lines; a client that finds none free is disconnected.
 *
 * @param port 0 for any free one
 * @param host address to listen on; 127.0.0.1 keeps it on this machine
 * @throws GoodnessError `port.busy` if the port is taken, `port.permission` if it may not be used
 */
export async function serveTcp(
  board: SimulatedBoard,
  port: number,
  host = '127.0.0.1',
  events: TcpBoardEvents = {},
): Promise<TcpBoard> {
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    serveClient(board, socket, events);
  });
  await listen(server, port, host);
  const address = server.address();
  const actual = address !== null && typeof address === 'object' ? address.port : port;
  return {
    address: `tcp://${host.includes(':') ? `[${host}]` : host}:${actual}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

function serveClient(board: SimulatedBoard, socket: Socket, events: TcpBoardEvents): void {
  const client = `${socket.remoteAddress}:${socket.remotePort}`;
  // Its end comes as 'close', which follows every error.
  socket.on('error', () => {});
  let link: ReturnType<SimulatedBoard['connect']>;
  try {
    link = board.connect({ onData: (bytes) => socket.write(bytes), onGone: () => socket.destroy() });
  } catch {
    events.onRefuse?.(client);
    socket.destroy();
    return;
  }
  events.onConnect?.(client);
  socket.on('data', (chunk: Buffer) => {
    // The board takes bytes when it has time for them: until then the client's wait in its own socket.
    socket.pause();
    link.write(chunk).then(
      () => socket.resume(),
      () => socket.destroy(),
    );
  });
  socket.on('close', () => {
    link.close();
    events.onDisconnect?.(client);
  });
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const code =
        cause.code === 'EADDRINUSE' ? 'port.busy' : cause.code === 'EACCES' ? 'port.permission' : 'port.open';
      const fix = 'Choose another TCP port; 0 takes any free one.';
      reject(new GoodnessError(code, `cannot listen on ${host}:${port}: ${cause.message}`, { fix, cause }));
    });
    server.listen(port, host, () => resolve());
  });
}
