import type { Random } from '../../base/random.js';
import { decodeImage, encodeImage } from '../../format/image.js';
import { type HelloResponse, MESSAGES } from '../../format/message.js';
import type { Model } from '../../format/model.js';
import type { ParitySample } from '../parity.js';
import { pullImage } from '../pull.js';
import type { Session } from '../session.js';
import type { ContractTarget } from './contract.js';
import { randomSamples } from './samples.js';

/** How much is checked: see ContractOptions. */
export interface ContractSettings {
  readonly samples: number;
  readonly steps: number;
  readonly flips: number;
}

/** What the checks of one run share: the device, and what is known of its store. */
export class ContractRun {
  readonly target: ContractTarget;
  /** The model that the contract was given. */
  readonly model: Model;
  readonly image: Uint8Array;
  readonly settings: ContractSettings;
  readonly random: Random;
  /** What the device starts from: in its store as far as is known. Saving changes it. */
  stored: Model;
  /** What a board whose image comes with the firmware held at first: the given model, or more learned. Undefined until it was read. */
  found: Model | undefined;
  /** What the device called itself last. */
  deviceName: string | undefined;
  private open: Session | undefined;

  constructor(target: ContractTarget, model: Model, image: Uint8Array, settings: ContractSettings, random: Random) {
    this.target = target;
    this.model = model;
    this.stored = model;
    this.image = image;
    this.settings = settings;
    this.random = random;
  }

  /** The session; only after `connect`. */
  get session(): Session {
    return this.open!;
  }

  get hello(): HelloResponse {
    return this.session.hello;
  }

  /** Whether SAVE works here. */
  get saves(): boolean {
    return this.target.savesTo === 'store';
  }

  /** Whether the device can learn the model of the contract at all. */
  get learns(): boolean {
    return canLearn(this, this.model);
  }

  /** Opens a session unless there is one. */
  async connect(): Promise<void> {
    this.open ??= await this.target.openSession();
    this.deviceName = this.open.hello.target;
  }

  async disconnect(): Promise<void> {
    const { open } = this;
    this.open = undefined;
    await open?.close();
  }

  /** Has the device start again from its store, so that it holds `stored`. */
  async reload(): Promise<void> {
    await this.session.request(MESSAGES.reload, undefined);
    await this.session.refresh();
  }

  /** Resets the device, where that can be done, and greets it again; false where it can't. */
  async reset(): Promise<boolean> {
    if (this.target.reset === undefined) return false;
    await this.disconnect();
    await this.target.reset();
    await this.connect();
    return true;
  }

  /** The whole image as the device holds it now, with a CRC that fits. */
  deviceImage(): Promise<Uint8Array> {
    return pullImage(this.session);
  }

  /** The model as the device holds it now. */
  async deviceModel(): Promise<Model> {
    return decodeImage(await this.deviceImage());
  }

  /** Takes what the device starts from as known. */
  knows(image: Uint8Array): void {
    this.stored = decodeImage(image);
  }

  storedImage(): Uint8Array {
    return encodeImage(this.stored);
  }

  /** New samples, not seen before in this run. */
  samples(count: number): Required<ParitySample>[] {
    return randomSamples(this.model, this.random, count);
  }
}

/** Whether the device has code for learning, and the model layers that learn. */
export function canLearn({ hello }: ContractRun, model: Model): boolean {
  return hello.learns && model.layers.some((layer) => layer.learns);
}
