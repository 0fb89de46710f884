import { verifyLearning, verifyModel } from '../../../src/device/parity.js';
import { openTransport } from '../../../src/device/resolve.js';
import { Session } from '../../../src/device/session.js';
import { readRegion } from '../../../src/device/transfer.js';
import { decodeImage, encodeImage, sealImage } from '../../../src/format/image.js';
import { REGION } from '../../../src/format/message.js';
import type { Model } from '../../../src/format/model.js';
import { randomInputs, randomModel } from '../../golden/random-model.js';
import { hasProgram } from '../../support/programs.js';

/** Small, with sizes that leave odd bytes everywhere. */
export const SMALL = randomModel({ seed: 4, rawInputs: 25, classes: 4, hidden: [20, 12] });
/** The size of the model that the boards are made for. */
export const WHOLE = randomModel({ seed: 5, rawInputs: 784, classes: 10, hidden: [120, 120] });

/** What of these programs this machine lacks, as a test's title says it. */
export function lacking(...programs: string[]): { readonly any: boolean; readonly title: string } {
  const missing = programs.filter((program) => !hasProgram(program));
  const title = missing.length > 0 ? ` (SKIPPED: there is no ${missing.join(', ')})` : '';
  return { any: missing.length > 0, title };
}

/** A conversation with the board at this address, closed in any case. */
export async function withSession<T>(address: string, action: (session: Session) => Promise<T>): Promise<T> {
  const session = await Session.open(await openTransport(address));
  try {
    return await action(session);
  } finally {
    await session.close();
  }
}

export function samplesOf(model: Model, seed: number, count: number): { input: Uint8Array; label: number }[] {
  return randomInputs(seed, count, model.rawInputs).map((input, n) => ({ input, label: n % model.classes }));
}

/** How many numbers differ from the reference: inference of all samples, then learning all of them. */
export async function differences(session: Session, model: Model, seed: number, count: number): Promise<number> {
  const samples = samplesOf(model, seed, count);
  const inference = await verifyModel(model, session, samples);
  const learning = await verifyLearning(model, session, samples);
  return inference.mismatches + learning.mismatches;
}

/** The image that the device holds, as it stands. */
export function imageOn(session: Session, model: Model): Promise<Uint8Array> {
  return readRegion(session, REGION.image, 0, encodeImage(model).length);
}

/** The model that the device holds, as it stands. */
export async function modelOn(session: Session, model: Model): Promise<Model> {
  const image = await imageOn(session, model);
  sealImage(image);
  return decodeImage(image);
}
