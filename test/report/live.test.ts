import { request } from 'node:http';
import { describe, expect, it } from 'vitest';
import { startLiveServer } from '../../src/report/live-server.js';
import { figure, plot } from '../../src/report/plot.js';

const plain = (text: string): string => text;

describe('a plot', () => {
  it('goes up where values go up, on a scale that it names', () => {
    const [top, bottom] = plot([{ values: [0, 1, 2, 3, 4, 5, 6, 7], paint: plain }], 4, 2);
    expect(top).toMatch(/^7\.00 {3}[⠀-⣿]{2}$/u);
    expect(bottom).toMatch(/^0\.00 [⠀-⣿]{2} {2}$/u);
  });

  it('fits many values and few into its width, and leaves gaps where there are none', () => {
    for (const count of [1, 3, 40, 1000]) {
      const lines = plot([{ values: Array.from({ length: count }, (_, k) => Math.sin(k / 9)), paint: plain }], 20, 3);
      expect(lines).toHaveLength(3);
      expect(new Set(lines.map((line) => line.length)).size).toBe(1);
    }
    const [line] = plot([{ values: [1, 1, Number.NaN, Number.NaN, 1, 1], paint: plain }], 3, 1);
    expect(line!.slice(-3)[1]).toBe(' ');
    expect(plot([{ values: [Number.NaN], paint: plain }], 2, 1)).toEqual(['1.00   ']);
  });

  it('paints each line in its own way', () => {
    const series = [
      { values: [0, 0], paint: (text: string) => `<${text}>` },
      { values: [5, 5], paint: plain },
    ];
    expect(plot(series, 1, 2).map((line) => line.includes('<'))).toEqual([false, true]);
    expect([figure(3), figure(31.4), figure(-314.15), figure(Number.NaN)]).toEqual(['3.00', '31.4', '-314', '-']);
  });
});

/** What the server answers, until it closes the line. */
function get(url: string, headers: Record<string, string> = {}, method = 'GET') {
  return new Promise<{ status: number; headers: NodeJS.Dict<string | string[]>; body: string }>((resolve, reject) => {
    const asked = request(url, { headers, method }, (response) => {
      let body = '';
      response.on('data', (chunk) => {
        body += chunk;
      });
      response.on('close', () => resolve({ status: response.statusCode!, headers: response.headers, body }));
    });
    asked.on('error', reject);
    asked.end();
  });
}

describe('the page of a training', () => {
  it('is served to this machine alone, and loads nothing from elsewhere', async () => {
    const server = await startLiveServer('<train>');
    expect(server.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/$/);
    const page = await get(server.url);
    expect(page.status).toBe(200);
    expect(page.body).toContain('<title>&#60;train&#62;</title>');
    expect(page.body).not.toMatch(/(src|href)=|https?:/);
    expect(page.headers['content-security-policy']).toContain("default-src 'none'");
    expect((await get(server.url, { host: 'evil.example:80' })).status).toBe(403);
    expect((await get(`${server.url}other`)).status).toBe(404);
    expect((await get(server.url, {}, 'POST')).status).toBe(405);
    await server.close();
    await expect(get(server.url)).rejects.toThrow();
  });

  it('tells what came before and what comes, and when it ends', async () => {
    const server = await startLiveServer('train');
    server.send({ step: 1, positive: Number.NaN });
    const events = get(`${server.url}events`);
    await new Promise((resolve) => setTimeout(resolve, 50));
    server.send({ step: 2 });
    await server.close();
    const { headers, body } = await events;
    expect(headers['content-type']).toBe('text/event-stream');
    expect(body).toBe('data: {"step":1,"positive":null}\n\ndata: {"step":2}\n\nevent: end\ndata: {}\n\n');
  });
});
