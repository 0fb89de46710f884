import { GoodnessError } from '../../base/errors.js';
import { MESSAGES } from '../../format/message.js';
import type { Model } from '../../format/model.js';
import { checkOrder } from '../../format/stages.js';
import { pullShape } from '../pull.js';
import type { Session } from '../session.js';
import type { Traffic } from '../transport.js';

/**
 * Boards that have the stages of one network (SPEC.md 9.6), the lowest layers first. What a board makes of a sample goes to the next by
 * way of this host; nothing flows back.
 */
export class Chain {
  readonly sessions: readonly Session[];
  /** What each board has: header, layers and meta; weights and state are empty. */
  readonly shapes: readonly Model[];

  private constructor(sessions: readonly Session[], shapes: readonly Model[]) {
    this.sessions = sessions;
    this.shapes = shapes;
  }

  /**
   * Asks the boards which layers they have.
   * @throws GoodnessError `stages.order` if they are not the stages of one network, in this order; `device.no_model`
   */
  static async of(sessions: readonly Session[]): Promise<Chain> {
    if (sessions.length < 2) {
      throw new GoodnessError('chain.boards', 'a pipeline takes two boards or more', { got: String(sessions.length) });
    }
    const shapes: Model[] = [];
    for (const session of sessions) shapes.push(await pullShape(session));
    checkOrder(shapes);
    return new Chain(sessions, shapes);
  }

  /** The board that gets the samples. */
  get lowest(): Session {
    return this.sessions[0]!;
  }

  /** The board whose answers are those of the network. */
  get highest(): Session {
    return this.sessions.at(-1)!;
  }

  get classes(): number {
    return this.shapes[0]!.classes;
  }

  get rawInputs(): number {
    return this.shapes[0]!.rawInputs;
  }

  /** Bytes over all lines so far. */
  get traffic(): Traffic {
    const sum = (of: (traffic: Traffic) => number): number =>
      this.sessions.reduce((total, { transport }) => total + of(transport.traffic), 0);
    return { up: sum((traffic) => traffic.up), down: sum((traffic) => traffic.down) };
  }

  /** Sets the random numbers of learning, the same on all boards. */
  async seed(seed: number): Promise<void> {
    await this.each((session) => session.request(MESSAGES.seed, { seed }));
  }

  /** Has every board start again from what it saved last. */
  async reload(): Promise<void> {
    await this.each((session) => session.request(MESSAGES.reload, undefined));
  }

  /** Has every board write what it holds to its store; gives the sequence numbers of their slots. */
  save(): Promise<number[]> {
    return this.each(async (session) => (await session.request(MESSAGES.save, undefined)).sequence);
  }

  async close(): Promise<void> {
    await this.each((session) => session.close());
  }

  /** Does the same with all boards at once. */
  each<T>(work: (session: Session, stage: number) => Promise<T>): Promise<T[]> {
    return Promise.all(this.sessions.map(work));
  }
}
