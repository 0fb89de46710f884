import { GoodnessError } from '../../base/errors.js';
import { Random } from '../../base/random.js';
import type { FlashWork, PowerCutBoard } from './powercut-board.js';
import { apply, FLASH_AT, FLASH_BYTES, type FlashRecord, flashBehind, tear } from './powercut-flash.js';
import { Talk, type Work } from './powercut-talk.js';

/**
 * Which cuts to try: at every so many operations, beginning with the first. The flash before and behind each erase and behind the last
 * operation is always placed, and each erase torn.
 */
export interface CutSteps {
  /** The processor is stopped there, in a run of its own. */
  readonly stopped: number;
  /** The flash of that moment is put into a board that then starts: the same for it, and quicker. */
  readonly placed: number;
  /** Within an operation: some of its bytes, or of its bits, are done. */
  readonly torn: number;
}

export interface CutCount {
  readonly what: Work['what'];
  /** Operations on flash of the work, without a cut. */
  readonly operations: number;
  readonly erases: number;
  readonly stopped: number;
  readonly placed: number;
  readonly torn: number;
  readonly cuts: number;
  /** What the board had after the cuts. */
  readonly keptOld: number;
  readonly tookNew: number;
  readonly modelsLost: number;
  readonly firmwaresLost: number;
  /** The cuts that lost something, and what was there instead. */
  readonly losses: readonly string[];
}

interface Held {
  readonly model: Uint8Array | undefined;
  readonly firmware: Uint8Array;
}

const SLOT_BYTES = 0x3000;
/** Behind the header of 256 bytes and the first stack pointer. */
const RESET_VECTOR = 0x104;
const MODELS_AT = 0x8000;
/**
 * Cuts the power of an emulated micro:bit at the operations on flash of a piece of work. After each cut the board must come to its
 * firmware, which must be the old one or the new one, byte for byte, and greet; and so must the model be that it holds.
 *
 * @param flash FLASH_BYTES bytes, with a firmware that runs and a model
 * @param next a model that the board must take afterwards, where a transfer or a save was cut
 * @returns what came of it, and the flash after the work
 * @throws GoodnessError if the work fails without a cut, or the emulator does
 */
export async function cutPower(
  board: PowerCutBoard,
  work: Work,
  flash: Uint8Array,
  steps: CutSteps,
  next?: Uint8Array,
): Promise<{ readonly count: CutCount; readonly after: Uint8Array }> {
  const trial = new Trial(board, work, flash, next);
  await trial.prepare();
  await trial.stopped(steps.stopped);
  await trial.placed(steps.placed);
  await trial.torn(steps.torn);
  return { count: trial.count(), after: trial.after };
}

class Trial {
  after: Uint8Array = new Uint8Array(0);
  private readonly board: PowerCutBoard;
  private readonly work: Work;
  private readonly before: Uint8Array;
  private readonly next: Uint8Array | undefined;
  private readonly random = new Random(7);
  private readonly tried = { stopped: 0, placed: 0, torn: 0 };
  private readonly fates = { keptOld: 0, tookNew: 0, modelsLost: 0, firmwaresLost: 0 };
  private readonly losses: string[] = [];
  private record: FlashRecord = { operations: [], sites: [] };
  private old: Held | undefined;
  private new: Held | undefined;
  /** First instructions of the old and the new firmware. */
  private readonly entries: readonly number[];
  private readonly flashWork: FlashWork;
  private readonly talk: Talk;

  constructor(board: PowerCutBoard, work: Work, before: Uint8Array, next: Uint8Array | undefined) {
    this.board = board;
    this.work = work;
    this.before = before;
    this.next = next;
    this.talk = new Talk(board.address);
    const files = [before, ...(work.what === 'firmware update' ? [work.file] : [])];
    const entryOf = (file: Uint8Array) => new DataView(file.buffer, file.byteOffset).getUint32(RESET_VECTOR, true) & ~1;
    this.entries = [...new Set(files.map(entryOf))];
    this.flashWork =
      work.what === 'firmware update'
        ? { talk: () => this.talk.upload(work.file), until: this.entries, from: FLASH_AT, to: MODELS_AT }
        : { talk: () => this.talk.work(work), until: [], from: MODELS_AT, to: FLASH_AT + FLASH_BYTES };
  }

  /** The work without a cut: what it does to the flash, and what is held before and afterwards. */
  async prepare(): Promise<void> {
    const { board } = this;
    await board.putFlash(this.before);
    this.old = await this.start();
    await board.putFlash(this.before);
    await this.ready();
    this.record = await board.record(this.flashWork);
    this.after = await board.flash();
    // The record is whole if it leads to the same flash.
    const replayed = flashBehind(this.record.operations.length, this.before, this.record.operations);
    if (Buffer.compare(replayed, this.after) !== 0) throw unfit(this.work, 'an operation on flash was not noticed');
    this.new = await this.start();
    if (same(this.old.model, this.new.model) && same(this.old.firmware, this.new.firmware)) {
      throw unfit(this.work, 'it changes neither model nor firmware');
    }
  }

  async stopped(every: number): Promise<void> {
    const { board, record } = this;
    for (let count = 0; count < record.operations.length; count += every) {
      await board.putFlash(this.before);
      await this.ready();
      const came = await board.stopBehind(count, record.sites, this.flashWork, () => this.talk.abandon());
      const flash = await board.flash();
      if (!came || Buffer.compare(flash, flashBehind(count, this.before, record.operations)) !== 0) {
        throw unfit(this.work, `its operation ${count + 1} is not the same twice`);
      }
      this.tried.stopped++;
      await this.judge(`stopped behind ${count} operations`);
    }
  }

  async placed(every: number): Promise<void> {
    const { operations } = this.record;
    const flash = this.before.slice();
    for (let count = 0; count <= operations.length; count++) {
      if (count > 0) apply(flash, operations[count - 1]!);
      const besideErase = operations[count - 1]?.kind === 'erase' || operations[count]?.kind === 'erase';
      if (count % every !== 0 && count !== operations.length && !besideErase) continue;
      await this.board.putFlash(flash);
      this.tried.placed++;
      await this.judge(`behind ${count} operations`);
    }
  }

  async torn(every: number): Promise<void> {
    const flash = this.before.slice();
    for (const [n, operation] of this.record.operations.entries()) {
      if (n % every === 0 || operation.kind === 'erase') {
        const broken = flash.slice();
        if (tear(broken, operation, this.random)) {
          await this.board.putFlash(broken);
          this.tried.torn++;
          await this.judge(`within operation ${n + 1}`);
        }
      }
      apply(flash, operation);
    }
  }

  count(): CutCount {
    const { operations } = this.record;
    const { stopped, placed, torn } = this.tried;
    return {
      what: this.work.what,
      operations: operations.length,
      erases: operations.filter(({ kind }) => kind === 'erase').length,
      ...this.tried,
      cuts: stopped + placed + torn,
      ...this.fates,
      losses: this.losses,
    };
  }

  /** The power goes, whatever is in flash now; then what is there? */
  private async judge(cut: string): Promise<void> {
    const { fates } = this;
    let held: Held;
    try {
      held = await this.start();
    } catch (error) {
      fates.firmwaresLost++;
      this.losses.push(`${cut}: ${(error as Error).message}`);
      return;
    }
    const took = [this.old!, this.new!].map(({ model, firmware }) => ({
      model: same(model, held.model),
      firmware: same(firmware, held.firmware),
    }));
    const model = took.some((one) => one.model);
    const firmware = took.some((one) => one.firmware);
    if (!model) fates.modelsLost++;
    if (!firmware) fates.firmwaresLost++;
    if (!model || !firmware) this.losses.push(`${cut}: another ${model ? 'firmware' : 'model'}`);
    else if (took[1]!.model && took[1]!.firmware) fates.tookNew++;
    else fates.keptOld++;
    if (model && firmware && this.next !== undefined) await this.goesOn(cut, this.next);
  }

  /** A board that had its power cut takes another model. */
  private async goesOn(cut: string, next: Uint8Array): Promise<void> {
    try {
      await this.board.during(() => this.talk.send(next));
      const held = await this.start();
      if (same(held.model, next)) return;
      this.losses.push(`${cut}: it holds another model than it was sent next`);
    } catch (error) {
      this.losses.push(`${cut}, then another model: ${(error as Error).message}`);
    }
    this.fates.modelsLost++;
  }

  /** Power comes, the firmware runs and greets: what does the board hold? */
  private async start(): Promise<Held> {
    const { board } = this;
    await board.cutPower();
    await board.boot(this.entries);
    const model = await board.during(() => this.asked());
    const flash = await board.flash();
    const slots = (of: Uint8Array) => of.subarray(MODELS_AT - FLASH_AT);
    // An update has nothing to do there.
    const touched = this.work.what === 'firmware update' && !same(slots(flash), slots(this.before));
    return { model: touched ? undefined : model, firmware: flash.slice(0, SLOT_BYTES) };
  }

  /** The model that the board says it has. The same start is asked twice: this machine may be too busy for QEMU and a host that waits. */
  private async asked(): Promise<Uint8Array | undefined> {
    try {
      return await this.talk.model();
    } catch {
      return await this.talk.model();
    }
  }

  /** To where the work begins. */
  private async ready(): Promise<void> {
    await this.board.cutPower();
    if (this.work.what === 'firmware update') await this.board.askToStay();
    else await this.board.boot(this.entries);
  }
}

function same(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return Buffer.compare(a, b) === 0;
}

function unfit(work: Work, got: string): GoodnessError {
  return new GoodnessError('powercut.work', `cuts in this ${work.what} would say nothing`, { got });
}
