import { GoodnessError } from '../base/errors.js';
import { ByteReader } from './byte-reader.js';
import { ByteWriter } from './byte-writer.js';
import { LIMIT } from './model.js';
import { STATUS, statusError } from './status.js';

/** Version of the wire protocol that this package speaks. */
export const PROTOCOL_VERSION = 2;

/** Label that stands for "none" in an INFER request. */
export const NO_LABEL = 0xff;

/** Set in the type of a response. */
export const RESPONSE_BIT = 0x80;

/** What an object is: images and patches are transferred, images and records are kept in slots. */
export const OBJECT_KIND = { image: 1, patch: 2, record: 3 } as const;

/** How RESET restarts a board. */
export const RESET_MODE = { restart: 0, bootloader: 1 } as const;

/** What READ reads. */
export const REGION = { image: 0, statistics: 1 } as const;

/** Bits of `Outcome.flags`. */
export const FLAG = { correct: 1, falseReject: 2, falseAccept: 4, novel: 8, learned: 16 } as const;

/** What the device says about one sample (12 bytes on the wire). */
export interface Outcome {
  readonly class: number;
  /** See FLAG. */
  readonly flags: number;
  readonly score: number;
  /** Score of the label, 0 if there was none. */
  readonly labelScore: number;
}

/** The same of a stage with layers above: with what those need of the sample. */
export interface OutcomeOn {
  readonly outcome: Outcome;
  /** Scores so far (u32 per class), and the input of the layer above; empty where nothing is above, or the sample was not learned. */
  readonly onward: Uint8Array;
}

/** A stage's answer to LEARN. */
export interface LearnedOn extends OutcomeOn {
  /** Index of the sample that it expects next. */
  readonly next: number;
}

export interface HelloResponse {
  readonly protocolVersion: number;
  readonly formatVersion: number;
  readonly learns: boolean;
  readonly hasStatistics: boolean;
  /** Whether the store survives power cuts. */
  readonly persistent: boolean;
  /** Whether the image comes with the firmware: then the link takes patches only, and SAVE keeps a record (SPEC.md 8.1). */
  readonly imageWithFirmware: boolean;
  /** Whether RESET works. */
  readonly canRestart: boolean;
  /** Whether it takes weights of 4 bits and fewer, and inputs of 4 bits. */
  readonly takesNibbles: boolean;
  /** Whether it takes stages of networks whose other layers are on other boards. */
  readonly takesStages: boolean;
  /** Requests that may be on their way at once. */
  readonly window: number;
  readonly maxRequest: number;
  readonly maxResponse: number;
  /** Most bytes of an object in a slot. */
  readonly slotBytes: number;
  /** Most bytes of a patch: it may be staged in a slot, or in RAM set aside for it. */
  readonly largestPatch: number;
  readonly arenaBytes: number;
  readonly arenaUsed: number;
  readonly modelLoaded: boolean;
  /** Status code of the last load. */
  readonly loadStatus: number;
  readonly rawInputs: number;
  readonly classes: number;
  readonly layers: number;
  readonly imageLength: number;
  readonly baseId: number;
  readonly samples: number;
  /** Bytes on the line of further requests that the device keeps while it works on one. */
  readonly ahead: number;
  /** Bit t: the device takes weights laid out by tag t (`LAYOUTS`). */
  readonly layouts: number;
  readonly target: string;
}

export interface StatusResponse {
  readonly baseId: number;
  readonly t: number;
  readonly samples: number;
  readonly updates: number;
  readonly errors: number;
  readonly falseRejects: number;
  readonly falseAccepts: number;
  readonly framesDropped: number;
  readonly last: Outcome;
  /** Time that the device took for the last INFER or LEARN, 0 if it has no clock. */
  readonly microseconds: number;
  /** Drawn at random when the device starts: another number says that it restarted. 0 if it draws none. */
  readonly boot: number;
}

/** One request of the protocol with the response that belongs to it. */
export interface Message<Request, Response> {
  readonly type: number;
  readonly name: string;
  /** Payload of the request. */
  encode(request: Request): Uint8Array;
  /** What follows the status of a good response. */
  decode(reader: ByteReader): Response;
}

const EMPTY = new Uint8Array(0);
const none = (): Uint8Array => EMPTY;
const nothing = (): void => undefined;

function message<Request, Response>(
  type: number,
  name: string,
  encode: (request: Request) => Uint8Array,
  decode: (reader: ByteReader) => Response,
): Message<Request, Response> {
  return { type, name, encode, decode };
}

function writer(length: number): ByteWriter {
  return new ByteWriter(length, 'message');
}

function readOutcome(r: ByteReader): Outcome {
  const [cls, flags] = [r.u8(), r.u8()];
  r.u16();
  return { class: cls, flags, score: r.u32(), labelScore: r.u32() };
}

function readOutcomeOn(r: ByteReader): OutcomeOn {
  return { outcome: readOutcome(r), onward: r.raw(r.left) };
}

function encodeInfer({ label, input }: { label?: number; input: Uint8Array }): Uint8Array {
  return writer(1 + input.length)
    .u8(label ?? NO_LABEL, 'label')
    .raw(input).bytes;
}

function encodeLearn({ index, label, input }: { index: number; label: number; input: Uint8Array }): Uint8Array {
  return writer(5 + input.length)
    .u32(index, 'index')
    .u8(label, 'label')
    .raw(input).bytes;
}

function readHello(r: ByteReader): HelloResponse {
  const protocolVersion = r.u16();
  const formatVersion = r.u16();
  const capabilities = r.u8();
  return {
    protocolVersion,
    formatVersion,
    learns: (capabilities & 1) !== 0,
    hasStatistics: (capabilities & 2) !== 0,
    persistent: (capabilities & 4) !== 0,
    imageWithFirmware: (capabilities & 8) !== 0,
    canRestart: (capabilities & 16) !== 0,
    takesNibbles: (capabilities & 32) !== 0,
    takesStages: (capabilities & 64) !== 0,
    window: r.u8(),
    maxRequest: r.u16(),
    maxResponse: r.u16(),
    slotBytes: r.u32(),
    largestPatch: r.u32(),
    arenaBytes: r.u32(),
    arenaUsed: r.u32(),
    modelLoaded: r.u8() !== 0,
    loadStatus: r.u8(),
    rawInputs: r.u16(),
    classes: r.u8(),
    layers: r.u8(),
    imageLength: r.u32(),
    baseId: r.u32(),
    samples: r.u32(),
    ahead: r.u16(),
    layouts: r.u16(),
    target: String.fromCharCode(...r.raw(r.left)),
  };
}

function readStatus(r: ByteReader): StatusResponse {
  return {
    baseId: r.u32(),
    t: r.u32(),
    samples: r.u32(),
    updates: r.u32(),
    errors: r.u32(),
    falseRejects: r.u32(),
    falseAccepts: r.u32(),
    framesDropped: r.u32(),
    last: readOutcome(r),
    microseconds: r.u32(),
    boot: r.u32(),
  };
}

function readActivities(r: ByteReader): Uint16Array {
  const activities = new Uint16Array(r.left >> 1);
  for (let j = 0; j < activities.length; j++) activities[j] = r.u16();
  return activities;
}

/** Every request (SPEC.md, "Requests"). */
export const MESSAGES = {
  hello: message(
    0x01,
    'HELLO',
    (q: { version?: number }) => writer(2).u16(q.version ?? PROTOCOL_VERSION, 'version').bytes,
    readHello,
  ),
  status: message(0x02, 'STATUS', none, readStatus),
  reload: message(0x03, 'RELOAD', none, nothing),
  reset: message(0x04, 'RESET', (q: { mode: number }) => writer(1).u8(q.mode, 'mode').bytes, nothing),
  begin: message(
    0x10,
    'BEGIN',
    (q: { kind: number; length: number; crc: number }) =>
      writer(12).u32(q.kind, 'kind').u32(q.length, 'length').u32(q.crc, 'CRC').bytes,
    (r) => ({ offset: r.u32() }),
  ),
  write: message(
    0x11,
    'WRITE',
    (q: { offset: number; bytes: Uint8Array }) =>
      writer(4 + q.bytes.length)
        .u32(q.offset, 'offset')
        .raw(q.bytes).bytes,
    (r) => ({ next: r.u32() }),
  ),
  commit: message(0x12, 'COMMIT', none, (r) => ({ baseId: r.u32() })),
  abort: message(0x13, 'ABORT', none, nothing),
  infer: message(0x20, 'INFER', encodeInfer, readOutcome),
  trace: message(
    0x21,
    'TRACE',
    (q: { layer: number; from: number; count: number; input: Uint8Array }) =>
      writer(5 + q.input.length)
        .u8(q.layer, 'layer')
        .u16(q.from, 'from')
        .u16(q.count, 'count')
        .raw(q.input).bytes,
    readActivities,
  ),
  learn: message(0x22, 'LEARN', encodeLearn, (r) => ({ next: r.u32(), outcome: readOutcome(r) })),
  stream: message(0x23, 'STREAM', (q: { index: number }) => writer(4).u32(q.index, 'index').bytes, nothing),
  seed: message(0x24, 'SEED', (q: { seed: number }) => writer(4).u32(q.seed, 'seed').bytes, nothing),
  statistics: message(
    0x25,
    'STATISTICS',
    (q: { level: number }) => writer(1).u8(q.level, 'level').bytes,
    (r) => ({ bytes: r.u32() }),
  ),
  read: message(
    0x30,
    'READ',
    (q: { region: number; offset: number; count: number }) =>
      writer(7).u8(q.region, 'region').u32(q.offset, 'offset').u16(q.count, 'count').bytes,
    (r) => r.raw(r.left),
  ),
  ticket: message(
    0x31,
    'TICKET',
    (q: { ticket: number }) => writer(4).u32(q.ticket, 'ticket').bytes,
    (r) => ({ baseId: r.u32(), t: r.u32() }),
  ),
  save: message(0x32, 'SAVE', none, (r) => ({ sequence: r.u32() })),
} as const;

/** The same requests to a stage of a network: the answers go on to the layers above (SPEC.md, "Stages"). */
export const STAGE_MESSAGES = {
  infer: message(MESSAGES.infer.type, MESSAGES.infer.name, encodeInfer, readOutcomeOn),
  learn: message(
    MESSAGES.learn.type,
    MESSAGES.learn.name,
    encodeLearn,
    (r): LearnedOn => ({
      next: r.u32(),
      ...readOutcomeOn(r),
    }),
  ),
} as const;

/**
 * Takes a response's payload apart.
 * @throws GoodnessError `device.<status>` if the device refused, `message.length` if the payload is malformed
 */
export function decodeResponse<Request, Response>(
  definition: Message<Request, Response>,
  payload: Uint8Array,
): Response {
  const reader = new ByteReader(payload, 'message');
  const status = reader.u8();
  if (status !== STATUS.OK) throw statusError(status, reader.u32(), reader.u32());
  const response = definition.decode(reader);
  reader.end();
  return response;
}

/**
 * Checks that a device speaks the protocol of this package, and says nothing of itself that can't be: what is read from it is as long
 * as it says.
 * @throws GoodnessError `device.version`, `device.greeting`
 */
export function checkGreeting(hello: HelloResponse): void {
  if (hello.protocolVersion !== PROTOCOL_VERSION) {
    throw new GoodnessError('device.version', 'the device speaks another protocol version', {
      expected: String(PROTOCOL_VERSION),
      got: String(hello.protocolVersion),
      fix: 'Use the same version of goodness on the host and in the firmware.',
    });
  }
  if (hello.imageLength > LIMIT.imageBytes) {
    throw new GoodnessError('device.greeting', 'the device says that its model is larger than any model', {
      expected: `at most ${LIMIT.imageBytes} bytes`,
      got: String(hello.imageLength),
      fix: 'Flash the firmware and the model again.',
    });
  }
}
