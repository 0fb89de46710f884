import { Chain } from '../device/chain/chain.js';
import { verifyChain, verifyChainLearning } from '../device/chain/verify.js';
import type { ParityReport, ParitySample } from '../device/parity.js';
import type { Model } from '../format/model.js';
import type { CliContext } from './context.js';
import { withBoards } from './target.js';

/** What `goodness verify --pipeline` finds: inference on all samples, then learning, after which the boards start again from their stores. */
export async function verifyPipeline(
  model: Model,
  samples: readonly Required<ParitySample>[],
  count: number,
  steps: number,
  args: { readonly pipeline: string; readonly port?: string | undefined; readonly baud: string },
  context: CliContext,
): Promise<ParityReport & { readonly target: string }> {
  const { output } = context;
  return withBoards(args, context, async (sessions) => {
    const chain = await Chain.of(sessions);
    const target = sessions.map(({ hello }) => hello.target).join(' and ');
    const inference = await verifyChain(chain, model, samples.slice(0, count), output.progress('infer'));
    if (steps === 0 || inference.mismatches > 0) return { ...inference, target };
    try {
      const learning = await verifyChainLearning(chain, model, samples.slice(0, steps), output.progress('learn'));
      return { ...learning, samples: count + steps, target };
    } finally {
      await chain.reload();
    }
  });
}
