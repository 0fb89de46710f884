import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { GoodnessError } from '../base/errors.js';
import { LIVE_PAGE } from './live-page.js';
import { escapeText } from './svg.js';

/** A page that shows what happens while it happens. */
export interface LiveServer {
  /** Where a browser finds it. */
  readonly url: string;
  /** Tells everybody who looks, and everybody who comes later. */
  send(event: object): void;
  /** Says that nothing more comes, and closes. */
  close(): Promise<void>;
}

/** Only this machine may look. */
const HOST = '127.0.0.1';

/**
 * Serves the page with its events (server-sent ones), to this machine only. Nothing is loaded from elsewhere.
 * @param title of the page
 * @throws GoodnessError `watch.server`
 */
export async function startLiveServer(title: string): Promise<LiveServer> {
  const past: string[] = [];
  const listeners = new Set<ServerResponse>();
  let address = '';
  const server = createServer((request, response) => {
    // A name that leads here from elsewhere is not this machine asking.
    if (request.headers.host !== address) return void response.writeHead(403).end();
    if (request.method !== 'GET') return void response.writeHead(405).end();
    if (request.url === '/') {
      response.writeHead(200, { ...SAFE, 'content-type': 'text/html; charset=utf-8' });
      return void response.end(LIVE_PAGE.replaceAll('{{title}}', escapeText(title)));
    }
    if (request.url !== '/events') return void response.writeHead(404).end();
    response.writeHead(200, { ...SAFE, 'content-type': 'text/event-stream' });
    response.write(past.join(''));
    listeners.add(response);
    response.on('close', () => listeners.delete(response));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, HOST, resolve);
  }).catch((cause: Error) => {
    throw new GoodnessError('watch.server', `the page can not be served: ${cause.message}`, {
      fix: 'Use --watch terminal.',
      cause,
    });
  });
  address = `${HOST}:${(server.address() as AddressInfo).port}`;
  const tell = (text: string): void => {
    past.push(text);
    for (const listener of listeners) listener.write(text);
  };
  return {
    url: `http://${address}/`,
    send: (event) => tell(`data: ${JSON.stringify(event)}\n\n`),
    close: async () => {
      tell('event: end\ndata: {}\n\n');
      for (const listener of listeners) listener.end();
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

const SAFE = {
  'cache-control': 'no-store',
  'content-security-policy':
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'",
  'x-content-type-options': 'nosniff',
} as const;
