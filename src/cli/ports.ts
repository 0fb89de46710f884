import { defineCommand } from 'citty';
import { boardsOnPort } from '../device/boards/boards.js';
import { type Answer, boardOfTarget, probeAll } from '../device/boards/probe.js';
import { isPluggable, type Port } from '../device/ports.js';
import { COMMON, PORT } from './arguments.js';
import type { CliContext } from './context.js';
import { baudOf, portsHere } from './port-choice.js';

export default defineCommand({
  meta: {
    name: 'ports',
    description:
      'Lists the serial ports of this machine and the boards that may be on them: what --port takes beside sim and tcp://host:port. With --probe it opens those of pluggable devices and asks; many boards restart then.',
  },
  args: {
    probe: { type: 'boolean', description: 'Ask on each port whether goodness firmware answers' },
    baud: PORT.baud,
    ...COMMON,
  },
  async run({ args, data }) {
    const context = data as CliContext;
    const { output } = context;
    const baud = baudOf(args.baud);
    const ports = await portsHere(context);
    const answers = args.probe ? await probeAll(ports.filter(isPluggable), { baud }) : [];
    const found = ports.map((port) => {
      const answer = answers.find((a) => a.port.path === port.path);
      return { ...port, boards: boardsOnPort(port).map((match) => match.board.id), ...asked(answer) };
    });
    const lines = ports.map((port, i) => describe(port, answers, found[i]!.boards));
    output.result({ ports: found }, lines.length === 0 ? 'no serial ports' : lines.join('\n'));
    if (ports.length === 0) output.note('without a board: --port sim, or `goodness simulate`');
  },
});

/** What a port said, for programs; nothing if it was not asked. */
function asked(answer: Answer | undefined): object {
  if (answer === undefined) return {};
  const { hello, failure } = answer;
  if (hello === undefined) return { answer: null, failure: failure?.code ?? null };
  const { target, modelLoaded, samples } = hello;
  return { answer: { target, board: boardOfTarget(target)?.id ?? null, modelLoaded, samples } };
}

function describe(port: Port, answers: readonly Answer[], boards: readonly string[]): string {
  const usb = port.vendorId === undefined ? undefined : `${port.vendorId}:${port.productId ?? '?'}`;
  const matches = boardsOnPort(port);
  const chip = matches[0]?.usb;
  // A converter sits on boards of many kinds: all that may be behind it are named, and none is claimed.
  const board =
    chip === undefined
      ? undefined
      : chip.own
        ? `${chip.name} (${boards.join(', ')})`
        : `${chip.name}: ${boards.join(' or ')}`;
  const answer = answers.find((a) => a.port.path === port.path);
  const said =
    answer === undefined
      ? undefined
      : answer.hello === undefined
        ? `does not answer (${answer.failure?.code ?? 'silent'})`
        : `answers: ${answer.hello.target}, ${answer.hello.modelLoaded ? `${answer.hello.samples} samples learned` : 'no model'}`;
  return [port.path, board ?? port.manufacturer, usb, port.serialNumber ?? port.id, said]
    .filter((part) => part !== undefined)
    .join('  ');
}
