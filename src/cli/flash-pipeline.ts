import { GoodnessError } from '../base/errors.js';
import { boardOfTarget } from '../device/boards/probe.js';
import { flashChain } from '../device/chain/flash.js';
import type { CliContext } from './context.js';
import { readModel } from './model-file.js';
import { layersOf, planText } from './plan-text.js';
import { withBoards } from './target.js';

export interface PipelineArguments {
  readonly pipeline: string;
  readonly port?: string | undefined;
  readonly baud: string;
  readonly cut: string | undefined;
  readonly learn: string | undefined;
  readonly verify: boolean;
}

/** `goodness flash --pipeline`: each board gets some of the layers. */
export async function flashPipeline(file: string, args: PipelineArguments, context: CliContext): Promise<void> {
  const { output } = context;
  const { model } = await readModel(file);
  const cuts = cutsOf(args.cut);
  await withBoards(args, context, async (sessions) => {
    const start = context.now();
    const bars = sessions.map(({ transport }) => output.progress(transport.name));
    const report = await flashChain(sessions, model, {
      ...(cuts === undefined ? {} : { cuts }),
      ...layersOf(args.learn),
      verify: args.verify,
      onProgress: (stage, phase, done, total) => bars[stage]!(done, total, phase),
    });
    const seconds = (context.now() - start) / 1000;
    const { plan, sent } = report;
    for (const [s, planned] of plan.plans.entries()) {
      const board = boardOfTarget(sessions[s]!.hello.target)!;
      output.note(`${sessions[s]!.transport.name}:\n${planText(planned, board, output.colors)}`);
    }
    const boards = sessions.map(({ transport, hello }, s) => ({
      port: transport.name,
      target: hello.target,
      layersBelow: plan.stages[s]!.layersBelow,
      ...sent[s]!,
      plan: plan.plans[s]!,
    }));
    output.result(
      { cuts: plan.cuts, boards, seconds },
      [
        ...boards.map(({ port, target, layersBelow, plan: { layers }, imageBytes, verified }) => {
          const numbers = `layers ${layersBelow} to ${layersBelow + layers.length - 1}`;
          return `${port}: ${target}, ${numbers}, ${imageBytes} bytes${verified ? ', verified' : ''}`;
        }),
        `${seconds.toFixed(1)} s`,
      ].join('\n'),
    );
  });
}

/** First layers of the boards but the lowest, as the option names them. */
function cutsOf(text: string | undefined): number[] | undefined {
  if (text === undefined) return undefined;
  const cuts = text.split(',').map((word) => (/^\d+$/.test(word.trim()) ? Number(word) : Number.NaN));
  if (!cuts.some(Number.isNaN)) return cuts;
  throw new GoodnessError('usage.value', '--cut does not know this value', {
    expected: 'numbers of layers with commas between: the first of each board but the lowest',
    got: JSON.stringify(text),
  });
}
