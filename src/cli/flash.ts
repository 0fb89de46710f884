import { defineCommand } from 'citty';
import { flashModel } from '../device/transfer.js';
import { COMMON, PORT } from './arguments.js';
import type { CliContext } from './context.js';
import { withDevice } from './device-session.js';
import { readModel } from './model-file.js';

export default defineCommand({
  meta: {
    name: 'flash',
    description:
      'Puts a model on a device and reads it back. A transfer that was cut off goes on where it stopped; until all is there and checked, the device keeps the model it has.',
  },
  args: {
    model: { type: 'positional', required: true, description: 'Model image (.ffm)' },
    ...PORT,
    verify: { type: 'boolean', default: true, description: 'Read it back', negativeDescription: 'Do not read it back' },
    ...COMMON,
  },
  async run({ args, data }) {
    const context = data as CliContext;
    const { output } = context;
    const { image } = await readModel(args.model);
    await withDevice(args, context, async (session) => {
      const start = context.now();
      const bars = { send: output.progress('send  '), verify: output.progress('verify') };
      const report = await flashModel(session, image, {
        verify: args.verify,
        onProgress: (phase, done, total) => bars[phase](done, total),
      });
      const seconds = (context.now() - start) / 1000;
      const { target, arenaBytes, arenaUsed } = session.hello;
      const resumed = report.resumedAt > 0 ? `, taken up at byte ${report.resumedAt}` : '';
      output.result(
        { port: args.port, target, ...report, arenaBytes, arenaUsed, seconds },
        `${report.imageBytes} bytes on ${target}${resumed}${report.verified ? ', verified' : ''} (${seconds.toFixed(1)} s); ` +
          `RAM: ${arenaUsed} of ${arenaBytes} bytes`,
      );
    });
  },
});
