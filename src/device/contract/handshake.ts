import { FORMAT_VERSION } from '../../format/image.js';
import { MESSAGES, PROTOCOL_VERSION, REGION } from '../../format/message.js';
import { LIMIT } from '../../format/model.js';
import { STATUS } from '../../format/status.js';
import { readRegion } from '../transfer.js';
import { rawRequest } from './raw.js';
import type { ContractRun } from './run.js';
import type { Tally } from './tally.js';

/** The least payload that a device must take (SPEC.md, "Limits"). */
const LEAST_PAYLOAD = 64;
const HEADER = 48;
/** Words of the state that HELLO and STATUS repeat: base id, t, random state, samples. */
const STATE_HEAD = 16;

/** HELLO: versions, fields that must fit each other and the image, and the refusal of hosts that speak another version. */
export async function handshake(run: ContractRun, tally: Tally): Promise<void> {
  const { session } = run;
  const hello = await session.refresh();
  tally.number('protocol version', PROTOCOL_VERSION, hello.protocolVersion, 2);
  tally.number('format version', FORMAT_VERSION, hello.formatVersion, 2);
  tally.holds('at least one request may be under way', hello.window >= 1, 1);
  tally.holds(`requests of ${LEAST_PAYLOAD} bytes are taken`, hello.maxRequest >= LEAST_PAYLOAD, 2);
  tally.holds(`responses of ${LEAST_PAYLOAD} bytes are possible`, hello.maxResponse >= LEAST_PAYLOAD, 2);
  tally.holds('no more of the arena is used than there is', hello.arenaUsed <= hello.arenaBytes, 4);
  tally.holds('a model is loaded just when the last load went well', hello.modelLoaded === (hello.loadStatus === 0), 2);
  tally.holds('the target has a name in ASCII', /^[\x20-\x7e]+$/.test(hello.target), hello.target.length);
  if (hello.modelLoaded) {
    tally.holds('a loaded model takes RAM', hello.arenaUsed > 0, 4);
    const header = await readRegion(session, REGION.image, 0, HEADER);
    const view = new DataView(header.buffer, header.byteOffset, header.length);
    tally.number('bytes of the image', view.getUint32(8, true), hello.imageLength, 4);
    tally.number('raw inputs', view.getUint16(16, true), hello.rawInputs, 2);
    tally.number('classes', view.getUint8(18), hello.classes, 1);
    tally.number('layers', view.getUint8(19), hello.layers, 1);
    const state = await readRegion(session, REGION.image, view.getUint32(32, true), STATE_HEAD);
    const word = (at: number): number => new DataView(state.buffer, state.byteOffset).getUint32(at, true);
    const status = await session.request(MESSAGES.status, undefined);
    tally.number('base id of HELLO', word(0), hello.baseId, 4);
    tally.number('base id of STATUS', word(0), status.baseId, 4);
    tally.number('t of STATUS', word(4), status.t, 4);
    tally.number('samples of HELLO', word(12), hello.samples, 4);
    tally.number('samples of STATUS', word(12), status.samples, 4);
  } else {
    const fields = [hello.rawInputs, hello.classes, hello.layers, hello.imageLength, hello.baseId, hello.samples];
    tally.holds(
      'fields of a model are 0 without one',
      fields.every((field) => field === 0),
      16,
    );
    tally.holds('the reason why no model is loaded is a known status', hello.loadStatus in STATUS_CODES, 1);
    tally.note('there was no model at first');
  }
  for (const version of [0, PROTOCOL_VERSION + 1, 0xffff]) {
    const request = session.request(MESSAGES.hello, { version });
    await tally.refuses(`protocol version ${version}`, request, STATUS.VERSION, [PROTOCOL_VERSION, version]);
  }
  for (const length of [0, 1, 3, LEAST_PAYLOAD]) {
    const request = session.request(rawRequest(MESSAGES.hello.type, new Uint8Array(length)), undefined);
    await tally.refuses(`a HELLO of ${length} bytes`, request, STATUS.LENGTH, [2, length]);
  }
  tally.holds('the image is no larger than an image may be', hello.imageLength <= LIMIT.imageBytes, 4);
}

const STATUS_CODES: Readonly<Record<number, string>> = Object.fromEntries(
  Object.entries(STATUS).map(([name, code]) => [code, name]),
);
