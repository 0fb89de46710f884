import { decode, encode } from 'cborg';
import { describe, expect, it } from 'vitest';
import { GoodnessError } from '../../src/base/errors.js';
import { Random } from '../../src/base/random.js';
import type { Line } from '../../src/device/bootloader/line.js';
import { SmpClient } from '../../src/device/bootloader/smp-client.js';
import { encodeSmpLines, SmpLineDecoder } from '../../src/device/bootloader/smp-line.js';

interface Request {
  readonly group: number;
  readonly command: number;
  readonly write: boolean;
  readonly values: Record<string, unknown>;
}

/** What a server answers: a map, CBOR as it is, or nothing. */
type Answer = Record<string, unknown> | Uint8Array | undefined;

/**
 * The other end of a line, for what our own bootloader doesn't do: servers of Zephyr and MCUboot as their documentation describes
 * them, and lines that lose and garble. `lose` says which packets of the server don't arrive.
 */
class Peer implements Line {
  readonly name = 'peer';
  readonly settings = { baud: 115200 };
  readonly traffic = { up: 0, down: 0 };
  requests: Request[] = [];
  lose: (n: number) => boolean = () => false;
  before = new Uint8Array(0);
  private readonly decoder = new SmpLineDecoder();
  private readonly serve: (request: Request) => Answer;
  private queue: number[] = [];
  private answers = 0;

  constructor(serve: (request: Request) => Answer) {
    this.serve = serve;
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (const byte of bytes) {
      const packet = this.decoder.push(byte);
      if (packet !== undefined) this.take(packet);
    }
  }

  private take(packet: Uint8Array): void {
    const [operation, , , , high, low, sequence, command] = packet;
    const request = {
      group: (high! << 8) | low!,
      command: command!,
      write: (operation! & 7) === 2,
      values: decode(packet.subarray(8)) as Record<string, unknown>,
    };
    expect(operation! & 0x18).toBe(8);
    this.requests.push(request);
    const answer = this.serve(request);
    if (answer === undefined || this.lose(this.answers++)) return;
    const body = answer instanceof Uint8Array ? answer : encode(answer);
    const head = [operation! | 1, 0, body.length >> 8, body.length & 255, high!, low!, sequence!, command!];
    this.queue.push(...this.before, ...encodeSmpLines(Uint8Array.from([...head, ...body])));
  }

  async read(count: number, milliseconds: number): Promise<Uint8Array> {
    if (this.queue.length < count) {
      await new Promise((resolve) => setTimeout(resolve, Math.min(milliseconds, 5)));
      throw new GoodnessError('bootloader.timeout', 'nothing came');
    }
    return Uint8Array.from(this.queue.splice(0, count));
  }

  clear(): void {
    this.queue = [];
  }

  async modem(): Promise<boolean> {
    return false;
  }

  async close(): Promise<void> {}
}

const OS = 0;
const IMAGE = 1;
const NOT_SUPPORTED = { rc: 8 };
const random = new Random(1);
const FILE = Uint8Array.from({ length: 5000 }, () => random.integer(256));

/** A server that stores what is uploaded, `buffer` bytes at a time at most. */
function store(buffer: number | undefined, extra: Record<string, unknown> = {}) {
  const held: number[] = [];
  let largest = 0;
  const peer = new Peer(({ group, command, values }) => {
    if (group === OS && command === 6) return buffer === undefined ? NOT_SUPPORTED : { buf_size: buffer, buf_count: 4 };
    if (group !== IMAGE || command !== 1) return NOT_SUPPORTED;
    largest = Math.max(largest, 8 + encode(values).length);
    const off = values.off as number;
    if (off === 0) {
      expect(values).toMatchObject({ len: FILE.length, image: 0 });
      expect(values.sha).toHaveLength(32);
    }
    if (off === held.length) held.push(...(values.data as Uint8Array));
    return { off: held.length, ...(held.length === FILE.length ? extra : {}) };
  });
  return { peer, held, largest: () => largest };
}

describe('the SMP client', () => {
  it('fills the buffer that the server has, and no more', async () => {
    for (const buffer of [96, 127, 384, 475, 1024, 2475]) {
      const server = store(buffer);
      await new SmpClient(server.peer).upload(FILE);
      expect(Uint8Array.from(server.held)).toEqual(FILE);
      expect(server.largest()).toBeLessThanOrEqual(buffer - 4);
      expect(server.largest()).toBeGreaterThan(buffer - 8);
    }
  });

  it('uploads to a server that tells nothing of itself, as MCUboot does in serial recovery', async () => {
    const server = store(undefined);
    expect(await new SmpClient(server.peer).upload(FILE)).toEqual({ resumedAt: 0, matches: undefined });
    expect(server.largest()).toBeLessThanOrEqual(256);
    const client = new SmpClient(server.peer);
    expect(await client.images()).toBeUndefined();
    expect(await client.bootloader()).toBeUndefined();
  });

  it('sends again what was lost, on the way there or back, and says what it holds in the end', async () => {
    const server = store(512, { match: true });
    const lost = new Random(3);
    server.peer.lose = () => lost.integer(4) === 0;
    const client = new SmpClient(server.peer, { answerMs: 20, eraseMs: 20, retries: 12 });
    expect(await client.upload(FILE)).toMatchObject({ matches: true });
    expect(Uint8Array.from(server.held)).toEqual(FILE);
  });

  it('goes where the server says, forward or back', async () => {
    const server = store(512);
    server.held.push(...FILE.subarray(0, 3000));
    expect(await new SmpClient(server.peer).upload(FILE)).toMatchObject({ resumedAt: 3000 });
    expect(Uint8Array.from(server.held)).toEqual(FILE);
    let forgot = false;
    const forgetful = new Peer(({ command, values }) => {
      if (command === 6) return { buf_size: 512 };
      const end = (values.off as number) + (values.data as Uint8Array).length;
      if (forgot || end < 2000) return { off: end };
      forgot = true;
      return { off: 0 };
    });
    expect(await new SmpClient(forgetful).upload(FILE)).toEqual({ resumedAt: 0, matches: undefined });
    expect(forgetful.requests.filter(({ values }) => values.off === 0)).toHaveLength(2);
  });

  it('gives up on a server that never gets further, or makes offsets up', async () => {
    const stuck = new Peer(({ command }) => (command === 6 ? { buf_size: 512 } : { off: 0 }));
    await expect(new SmpClient(stuck).upload(FILE)).rejects.toMatchObject({ code: 'bootloader.protocol' });
    for (const off of [-1, 5001, 1.5, 'x', null]) {
      const liar = new Peer(({ command }) => (command === 6 ? { buf_size: 512 } : { off }));
      await expect(new SmpClient(liar).upload(FILE)).rejects.toMatchObject({ code: 'bootloader.protocol' });
    }
  });

  it('refuses to believe in an upload that the server finds different', async () => {
    const server = store(512, { match: false });
    await expect(new SmpClient(server.peer).upload(FILE)).rejects.toMatchObject({ code: 'bootloader.verify' });
  });

  it('tells refusals by name, of version 1 and of version 2', async () => {
    const answers: [Answer, RegExp][] = [
      [{ rc: 6 }, /EBADSTATE \(6\)/],
      [{ rc: 9, rsn: 'bad hash' }, /ECORRUPT \(9\).*bad hash/],
      [{ rc: 4711 }, /code \(4711\)/],
      [{ err: { group: 1, rc: 30 } }, /INVALID_IMAGE_TOO_LARGE \(group 1, 30\)/],
      [{ err: { group: 64, rc: 2 } }, /code \(group 64, 2\)/],
    ];
    for (const [answer, text] of answers) {
      const refusal = new SmpClient(new Peer(() => answer)).erase(1);
      await expect(refusal).rejects.toMatchObject({ code: 'bootloader.refused', got: expect.stringMatching(text) });
    }
    await new SmpClient(new Peer(() => ({ rc: 0 }))).erase(1);
    await new SmpClient(new Peer(() => ({ err: { group: 1, rc: 0 } }))).erase(1);
  });

  it('reads maps and lists of indefinite length, as Zephyr sends them', async () => {
    // {_ "images": [_ {_ "slot": 0, "version": "1.2.3", "active": true}]}
    const body = Buffer.from(
      `bf66${hex('images')}9fbf64${hex('slot')}0067${hex('version')}65${hex('1.2.3')}66${hex('active')}f5ffffff`,
      'hex',
    );
    const images = await new SmpClient(new Peer(() => new Uint8Array(body))).images();
    expect(images).toEqual([
      {
        image: 0,
        slot: 0,
        version: '1.2.3',
        hash: undefined,
        bootable: false,
        pending: false,
        confirmed: false,
        active: true,
        permanent: false,
      },
    ]);
  });

  it('says so when an answer is no CBOR, no map, or lacks what it must have', async () => {
    const bodies: Answer[] = [
      new Uint8Array(0),
      Uint8Array.of(0xbf),
      Uint8Array.of(1),
      Uint8Array.of(0xa1, 1),
      {},
      { images: 3 },
      { images: [3] },
      { images: [{ slot: 0 }] },
      { images: [{ slot: 'x', version: '1' }] },
    ];
    for (const body of bodies) {
      await expect(new SmpClient(new Peer(() => body)).images()).rejects.toMatchObject({ code: 'bootloader.protocol' });
    }
  });

  it('passes over a log on the line, and answers to what it no longer asks', async () => {
    const peer = new Peer(({ values }) => ({ r: values.d }));
    const old = encodeSmpLines(Uint8Array.from([11, 0, 0, 1, 0, 0, 99, 0, 0xa0]));
    peer.before = Uint8Array.from([...Buffer.from('*** Booting Zephyr ***\n'), ...old]);
    const client = new SmpClient(peer);
    expect(await client.echo('hello')).toBe('hello');
    expect(client.stale).toBe(1);
  });

  it('asks as often as it may, then says what to check', async () => {
    const peer = new Peer(() => undefined);
    const client = new SmpClient(peer, { answerMs: 5, retries: 2 });
    await expect(client.reset()).rejects.toMatchObject({
      code: 'bootloader.timeout',
      message: /3 attempts.*button A/s,
    });
    expect(peer.requests).toHaveLength(3);
  });

  it('chooses images and restarts in the words of the protocol', async () => {
    const peer = new Peer(() => ({ images: [] }));
    const client = new SmpClient(peer);
    const hash = new Uint8Array(32).fill(5);
    await client.choose(hash, true);
    await client.reset();
    await client.reset(true);
    await client.erase();
    expect(peer.requests).toEqual([
      { group: 1, command: 0, write: true, values: { hash, confirm: true } },
      { group: 0, command: 5, write: true, values: {} },
      { group: 0, command: 5, write: true, values: { boot_mode: 1 } },
      { group: 1, command: 5, write: true, values: {} },
    ]);
  });
});

function hex(text: string): string {
  return Buffer.from(text).toString('hex');
}
