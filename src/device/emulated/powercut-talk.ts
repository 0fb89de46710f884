import { MESSAGES, OBJECT_KIND, REGION } from '../../format/message.js';
import { openLine } from '../bootloader/line.js';
import { SmpClient } from '../bootloader/smp-client.js';
import { openTransport } from '../resolve.js';
import { Session } from '../session.js';
import { readRegion, sendObject } from '../transfer.js';

/** What is done while the power goes. Each begins at the flash that is given, and ends with another model or firmware in it. */
export type Work =
  | { readonly what: 'model transfer'; readonly image: Uint8Array }
  | { readonly what: 'save'; readonly samples: readonly { readonly input: Uint8Array; readonly label: number }[] }
  /** Upload by the bootloader, a reset, and the copy to where the firmware runs. */
  | { readonly what: 'firmware update'; readonly file: Uint8Array };

/** Longest for the first answer of a firmware that runs; it takes some milliseconds. */
const GREET_MS = 15_000;

/** What the host says to a board that may lose its power any time. */
export class Talk {
  private readonly address: string;
  /** Closes what was talked through last. */
  private hangUp: () => Promise<void> = async () => {};

  constructor(address: string) {
    this.address = address;
  }

  work(work: Exclude<Work, { what: 'firmware update' }>): Promise<void> {
    return this.withSession(async (session) => {
      if (work.what === 'model transfer') return await transfer(session, work.image);
      await session.request(MESSAGES.stream, { index: 0 });
      for (const [index, sample] of work.samples.entries()) {
        await session.request(MESSAGES.learn, { ...sample, index });
      }
      await session.request(MESSAGES.save, undefined);
    });
  }

  /** To the bootloader, which must be running. What it copies afterwards, it copies before the firmware begins. */
  async upload(file: Uint8Array): Promise<void> {
    const line = await openLine(this.address, { baud: 115_200 });
    this.hangUp = () => line.close();
    try {
      const client = new SmpClient(line);
      await client.upload(file);
      await client.reset();
    } finally {
      await line.close();
    }
  }

  send(image: Uint8Array): Promise<void> {
    return this.withSession((session) => transfer(session, image));
  }

  /** The image that the board holds, read back; undefined if it has none. */
  model(): Promise<Uint8Array | undefined> {
    return this.withSession(async (session) => {
      const { modelLoaded, imageLength } = session.hello;
      return modelLoaded ? await readRegion(session, REGION.image, 0, imageLength) : undefined;
    });
  }

  /** Ends all that is under way: nobody answers any more. */
  abandon(): Promise<void> {
    return this.hangUp();
  }

  private async withSession<T>(action: (session: Session) => Promise<T>): Promise<T> {
    const transport = await openTransport(this.address);
    this.hangUp = () => transport.close();
    const session = await Session.open(transport, { openMs: GREET_MS });
    try {
      return await action(session);
    } finally {
      await session.close();
    }
  }
}

async function transfer(session: Session, image: Uint8Array): Promise<void> {
  await sendObject(session, OBJECT_KIND.image, image);
  await session.request(MESSAGES.commit, undefined);
}
