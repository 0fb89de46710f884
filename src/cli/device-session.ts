import { greet } from '../device/boards/greet.js';
import { openTransport } from '../device/resolve.js';
import type { Session } from '../device/session.js';
import type { CliContext } from './context.js';
import { baudOf, resolvePort } from './port-choice.js';

/**
 * Opens the device that the options `--port` and `--baud` name, or the one that answers if no port is named, and closes it when
 * `use` has ended, however it ended.
 */
export async function withDevice<T>(
  args: { readonly port?: string | undefined; readonly baud: string },
  context: CliContext,
  use: (session: Session) => Promise<T>,
): Promise<T> {
  const port = await resolvePort(args.port, args.baud, context);
  const baud = baudOf(args.baud);
  const session = await greet(() => openTransport(port, { baud }));
  const { transport } = session;
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
