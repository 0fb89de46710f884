import { connect } from 'node:net';
import { GoodnessError } from '../base/errors.js';
import { StreamTransport } from './stream-transport.js';
import type { Transport } from './transport.js';

const CONNECT_MS = 5000;

/**
 * Connects to a device that is served over TCP.
 *
 * @param address `tcp://host:port`
 * @throws GoodnessError `port.name` for another form, `port.absent` if nothing listens there or answers in 5 s
 */
export async function openTcp(address: string): Promise<Transport> {
  const { host, port } = parseTcp(address);
  const socket = connect({ host, port, noDelay: true });
  await new Promise<void>((resolve, reject) => {
    const fail = (cause: Error): void => {
      socket.destroy();
      reject(
        new GoodnessError('port.absent', `no device at ${address}: ${cause.message}`, {
          fix: 'Start one with `goodness simulate --tcp <port>`, or check host and port.',
          cause,
        }),
      );
    };
    socket.setTimeout(CONNECT_MS, () => fail(new Error(`no answer within ${CONNECT_MS / 1000} s`)));
    socket.once('error', fail);
    socket.once('connect', () => {
      socket.setTimeout(0);
      socket.removeAllListeners('timeout');
      socket.removeListener('error', fail);
      resolve();
    });
  });
  const shut = (): Promise<void> =>
    new Promise((resolve) => {
      if (socket.destroyed) return resolve();
      socket.once('close', () => resolve());
      socket.destroy();
    });
  return new StreamTransport(socket, address, undefined, shut);
}

function parseTcp(address: string): { host: string; port: number } {
  const match = /^tcp:\/\/(\[[0-9a-fA-F:.]+\]|[^:/\s]+):(\d{1,5})\/?$/.exec(address);
  const port = match === null ? 0 : Number(match[2]);
  if (match === null || port < 1 || port > 65535) {
    throw new GoodnessError('port.name', 'not a TCP address', {
      expected: 'tcp://host:port, with a port from 1 to 65535',
      got: address,
    });
  }
  return { host: match[1]!.replace(/^\[|\]$/g, ''), port };
}
