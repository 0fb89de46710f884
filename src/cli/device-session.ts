import { openTransport } from '../device/resolve.js';
import { Session } from '../device/session.js';
import { numberOf } from './arguments.js';
import type { CliContext } from './context.js';

/** Opens the device that the options `--port` and `--baud` name, and closes it when `use` has ended, however it ended. */
export async function withDevice<T>(
  args: { readonly port: string; readonly baud: string },
  context: CliContext,
  use: (session: Session) => Promise<T>,
): Promise<T> {
  const baud = numberOf('baud', args.baud, { least: 50, most: 20_000_000 })!;
  const transport = await openTransport(args.port, { baud });
  const session = await Session.open(transport);
  const { target, modelLoaded, samples } = session.hello;
  context.output.note(
    `${transport.name}: ${target}${modelLoaded ? `, ${samples} samples learned so far` : ', no model yet'}`,
  );
  try {
    return await use(session);
  } finally {
    if (session.line.retries > 0)
      context.output.note(`${session.line.retries} requests were sent again: the line loses bytes`);
    await session.close();
  }
}
